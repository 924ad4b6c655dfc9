//! Databases on a server as older versions have left them.

use std::fs;
use std::path::{Path, PathBuf};

use super::World;

impl World {
    /// Returns the number of the schema of a database on a server.
    pub fn schema_on_server(&self) -> i64 {
        self.count("value::bigint FROM settings WHERE key = 'job-manager:schema'")
    }

    /// Undoes all migrations of a database on a server that came after a schema, the latest one first.
    pub fn back_to_schema(&self, number: i64) {
        let mut later: Vec<(i64, PathBuf)> = migrations().into_iter().filter(|(of, _)| *of > number).collect();
        later.sort_unstable();
        for (_, migration) in later.iter().rev() {
            self.sql(&fs::read_to_string(migration.join("down.sql")).unwrap());
            let name = migration.file_name().unwrap().to_str().unwrap();
            // As diesel knows it: without hyphens, and without what it is called.
            let version = name.split('_').next().unwrap().replace('-', "");
            self.sql(&format!("DELETE FROM __diesel_schema_migrations WHERE version = '{version}'"));
        }
        assert_eq!(self.schema_on_server(), number);
    }
}

/// Returns the directories of all migrations for servers, each with the number of the schema that it leads to.
fn migrations() -> Vec<(i64, PathBuf)> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/postgres");
    let number = |path: &PathBuf| path.file_name()?.to_str()?.split('-').nth(3)?.parse().ok();
    fs::read_dir(all)
        .unwrap()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter_map(|path| Some((number(&path)?, path)))
        .collect()
}
