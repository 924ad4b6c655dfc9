//! Bringing a database of an older schema up to date, which happens nowhere else.
//!
//! Nobody who merely opens a database changes its schema. Whoever wants it changed is shown the jobs that run by then, within
//! the transaction that would do it: a manager of an older version that begins afterwards waits for this transaction, and
//! one of this version or a later one refuses a schema that has become too new for it before it takes a job over. Known
//! weaknesses: the looks at locks happen inside a transaction, once in the life of a schema; a client of an older version
//! that has the database open goes on with the statements that it knows.

use std::path::Path;

use diesel::prelude::*;

use super::access::SCHEMA;
use super::connection::DbConnection;
use super::failure::Failure;
use super::failures::keep_kinds;
use super::managers::records_of;
use super::metadata::Texts;
use super::open::{UserVersion, make_tables};
use super::place::Found;
use super::schema::jobs;
use super::setup_lock::lock_setup_of;
#[cfg(feature = "postgres")]
use super::{Access, postgres};
use super::{Store, StoreError};
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
        look: impl FnMut(&DatabaseFile, &[RunningJob]) -> Result<(), E>,
    ) -> Result<(), E> {
        #[cfg(feature = "postgres")]
        if postgres::is_one(path) {
            return bring_tables_up_to_date(Store::of_any_schema(postgres::open(path, Access::Write)?), look);
        }
        let _lock = lock_setup_of(path)?;
        let found = Found::at(path)?;
        found.refuse_second_name()?;
        found.refuse_planted()?;
        let (store, schema) = Self::connect(found)?;
        if schema.is_none_or(|schema| schema == SCHEMA) {
            return Ok(());
        }
        bring_tables_up_to_date(store, look)
    }
}

fn bring_tables_up_to_date<E: From<StoreError>>(
    mut store: Store,
    mut look: impl FnMut(&DatabaseFile, &[RunningJob]) -> Result<(), E>,
) -> Result<(), E> {
    let file = store.file.clone();
    let mut refused = None;
    let outcome = store.write("bring the database up to date", |conn| match look(&file, &running_jobs(conn, &file)?) {
        Ok(()) => make_newest(conn).and_then(|()| keep_kinds(conn, 0, i64::MAX)),
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

fn make_newest(conn: &mut DbConnection) -> Result<(), Failure> {
    #[cfg(feature = "postgres")]
    if let DbConnection::Postgres(conn) = conn {
        return Ok(postgres::bring_up_to_date(conn)?);
    }
    make_tables(conn)
}

fn running_jobs(conn: &mut DbConnection, file: &DatabaseFile) -> Result<Vec<RunningJob>, Failure> {
    let running = jobs::table.filter(jobs::status.eq(JobStatus::Running.as_str())).order(jobs::id);
    let ids: Vec<i64> = running.select(jobs::id).load(conn)?;
    let ids: Vec<JobId> = ids.into_iter().map(JobId).collect();
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
