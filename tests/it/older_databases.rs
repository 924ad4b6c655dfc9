//! Databases that older versions have left.

use std::fs;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::support::World;

#[test]
fn jobs_of_every_older_schema_are_read_and_go_on() {
    let mut opened = 0;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/databases")).unwrap() {
        let dump = fs::read_to_string(entry.unwrap().path()).unwrap();
        let world = World::new();
        let mut old = SqliteConnection::establish(world.db().to_str().unwrap()).unwrap();
        old.batch_execute("PRAGMA journal_mode = WAL").unwrap();
        old.batch_execute(&dump).unwrap();
        drop(old);

        assert_eq!(world.status("squares")["progress"]["failed"], 1);
        world.ok(&["start", "waiting"]);
        world.ok(&["wait", "waiting"]);

        assert_eq!(world.units("squares").len(), 3);
        world.assert_sound("2");
        opened += 1;
    }
    assert!(opened > 0, "there is no older database");
}
