//! The databases of which this one is a copy, kept as long as processes of theirs may live.

use diesel::prelude::*;

use super::connection::{DbConnection, on_server};
use super::failure::Failure;
use super::managers::latest;
use super::metadata::put;
use super::schema::metadata;
use super::{Lease, Store, StoreError};
use crate::model::{DatabaseFile, JobId};

/// Begins the keys of databases under which a job was run before it was copied.
const FORMER: &str = "former_database:";
/// The first text after all that begin with [`FORMER`].
const AFTER_FORMER: &str = "former_database;";

impl Store {
    /// Returns the databases of which this one is a copy, as far as their managers have run the job.
    pub fn former_databases(&mut self, job: JobId) -> Result<Vec<DatabaseFile>, StoreError> {
        let own = self.file.clone();
        self.read("read which database this is a copy of", |conn| {
            if on_server(conn) {
                return Ok(Vec::new());
            }
            let of_job = metadata::table.filter(metadata::job_id.eq(job.0));
            let is_former = metadata::key.ge(FORMER).and(metadata::key.lt(AFTER_FORMER));
            let rows: Vec<String> = of_job.filter(is_former).select(metadata::value).load(conn)?;
            let found = rows.into_iter().chain(latest(conn, job)?.and_then(|latest| latest.database));
            let found = found.filter_map(|text| DatabaseFile::from_text(&text));
            Ok(found.filter(|database| !database.is_same_file(&own)).collect())
        })
    }

    /// Forgets such databases, when nothing of them lives.
    pub fn forget_former_databases(&mut self, lease: Lease, gone: &[DatabaseFile]) -> Result<(), StoreError> {
        if gone.is_empty() {
            return Ok(());
        }
        self.write_under(lease, "forget of which database this is a copy", |conn, job| {
            for database in gone {
                diesel::delete(metadata::table.find((job.id.0, former(database)))).execute(conn)?;
            }
            Ok(())
        })
    }
}

fn former(database: &DatabaseFile) -> String {
    format!("{FORMER}{}:{}", database.device, database.inode)
}

/// Notes the database whose manager ran the job before, if it is another one than that of the next.
pub(super) fn remember(
    conn: &mut DbConnection,
    job: JobId,
    before: Option<String>,
    next: &DatabaseFile,
) -> Result<(), Failure> {
    let other = before.and_then(|text| DatabaseFile::from_text(&text)).filter(|other| !other.is_same_file(next));
    other.map_or(Ok(()), |other| put(conn, job, &former(&other), &other.to_text()))
}
