//! Bringing a database of an older schema up to date, which happens nowhere else.
//!
//! Nobody who merely opens a database changes its schema. Whoever wants it changed is shown the jobs that run by then, within
//! the transaction that would do it: a manager of an older version that begins afterwards waits for this transaction, and
//! one of this version or a later one refuses a schema that has become too new for it before it takes a job over. Known
//! weaknesses: the looks at locks happen inside a transaction, once in the life of a schema; a client of an older version
//! that has the database open goes on with the statements that it knows.

use std::path::Path;

use diesel::prelude::*;

#[cfg(feature = "postgres")]
use super::access::Access;
use super::access::SCHEMA;
use super::connection::{DbConnection, on_server};
use super::failure::Failure;
use super::failures::keep_kinds;
use super::managers::records_of;
use super::metadata::Texts;
use super::open::UserVersion;
use super::place::Found;
use super::schema::jobs;
use super::setup_lock::lock_setup_of;
use super::tables::make_tables;
use super::{Store, StoreError, postgres};
use crate::model::{DatabaseFile, JobId, JobStatus, ManagerRecord};

/// A job that runs as far as its row says.
#[derive(Debug)]
pub struct RunningJob {
    /// The job.
    pub id: JobId,
    /// What its manager has written about itself, if it can be read.
    pub record: Option<ManagerRecord>,
}

impl Store {
    /// Brings the database at `path` to the newest schema, unless `look` refuses: all of it, or nothing.
    ///
    /// Done twice, or by several processes at once, it happens once.
    pub fn bring_up_to_date<E: From<StoreError>>(
        path: &Path,
        mut look: impl FnMut(&DatabaseFile, &[RunningJob]) -> Result<(), E>,
    ) -> Result<(), E> {
        let _lock = lock_setup_of(path)?;
        let (mut store, schema) = Self::connect_to_migrate(path)?;
        if schema.is_none_or(|schema| schema == SCHEMA) {
            return Ok(());
        }
        let file = store.file.clone();
        let mut refused = None;
        let outcome =
            store.write("bring the database up to date", |conn| match look(&file, &running_jobs(conn, &file)?) {
                // Those on a server have always kept the kinds of failures.
                Ok(()) if on_server(conn) => make_tables(conn),
                Ok(()) => make_tables(conn).and_then(|()| keep_kinds(conn, 0, i64::MAX)),
                Err(error) => {
                    refused = Some(error);
                    Err(diesel::result::Error::RollbackTransaction.into())
                }
            });
        match refused {
            Some(error) => Err(error),
            None => Ok(outcome?),
        }
    }

    /// Connects to a database of whichever schema, and returns the number of that with it.
    fn connect_to_migrate(path: &Path) -> Result<(Store, Option<i32>), StoreError> {
        #[cfg(feature = "postgres")]
        if postgres::is_one(path) {
            let opened = postgres::open(path, Access::Write)?;
            let schema = opened.schema;
            return Ok((Self::of_session(opened), Some(schema)));
        }
        let found = Found::at(path)?;
        found.refuse_second_name()?;
        found.refuse_planted()?;
        Self::connect(found)
    }
}

fn running_jobs(conn: &mut DbConnection, file: &DatabaseFile) -> Result<Vec<RunningJob>, Failure> {
    let running = jobs::table.filter(jobs::status.eq(JobStatus::Running.as_str())).order(jobs::id);
    let ids: Vec<i64> = running.select(jobs::id).load(conn)?;
    let mut ids: Vec<JobId> = ids.into_iter().map(JobId).collect();
    if on_server(conn) {
        // The row of a job whose managers have died says that it runs until the next one takes it over.
        let held = ids.into_iter().map(|id| Ok((id, postgres::is_held(conn, id)?)));
        let held: Vec<(JobId, bool)> = held.collect::<Result<_, Failure>>()?;
        ids = held.into_iter().filter_map(|(id, is_held)| is_held.then_some(id)).collect();
    }
    let mut texts = Texts::of_jobs(conn, &ids)?;
    let of = |(id, record)| match record {
        // The lock says whether somebody runs the job.
        Err(StoreError::DamagedRecord { .. }) => Ok(RunningJob { id, record: None }),
        record => Ok(RunningJob { id, record: record? }),
    };
    records_of(conn, &ids, file, &mut texts)?.into_iter().map(of).collect()
}

/// Refuses a schema that has become newer since the database was opened.
pub(super) fn refuse_newer(conn: &mut DbConnection, path: &Path) -> Result<(), Failure> {
    let found: i32 = UserVersion {}.get_result(conn)?;
    if found > SCHEMA {
        return Err(StoreError::TooNew { path: path.to_owned(), found, known: SCHEMA }.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Access;
    use crate::store::conformance::{NOW, job_of};

    #[test]
    fn fault_308_no_job_is_taken_over_in_a_schema_that_has_become_newer_since_it_was_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("jobs.db");
        let mut store = Store::open(&path, Access::Create).unwrap();
        let job = job_of(&mut store, 1);
        let identity = crate::sys::own_identity().unwrap();
        store.execute(&format!("PRAGMA user_version = {}", SCHEMA + 1)).unwrap();

        let refused = store.join(job, &identity, Path::new("/bin/job-manager"), NOW).unwrap_err();

        assert!(matches!(refused, StoreError::TooNew { found, .. } if found == SCHEMA + 1), "{refused}");
        assert_eq!(store.job(job).unwrap().status, JobStatus::Created);
    }
}
