//! Deletion of jobs, in transactions of bounded size.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::error::Failure;
use super::schema::jobs;
use super::statement::statement;
use super::{Store, StoreError};
use crate::model::{Job, JobId, JobStatus, Seq, UnitId};

/// Units deleted by one transaction: other writers wait for milliseconds, not for the whole job.
const UNITS_PER_TRANSACTION: i64 = 20_000;

statement! {
    struct DeleteUnits {
        "DELETE FROM units WHERE id IN (SELECT id FROM units WHERE id BETWEEN "
            first: i64 as BigInt,
        " AND " last: i64 as BigInt,
        " LIMIT " limit: i64 as BigInt,
    }
    ")"
}

impl Store {
    /// Deletes a job with everything that belongs to it, if it is `wanted` as it is now; returns whether it was.
    ///
    /// The caller holds the job's lock. The job disappears for readers with the first transaction; a crash leaves
    /// a `partial` job behind, which [`Store::sweep_job`] deletes.
    pub fn delete_job(&mut self, job: JobId, wanted: impl FnOnce(&Job) -> bool) -> Result<bool, StoreError> {
        let is_hidden = self.write("delete the job", |conn| {
            let row = super::jobs::job_row(conn, job)?;
            if !row.status.can_become(JobStatus::Partial) {
                return Err(StoreError::WrongStatus { operation: "delete", job, status: row.status }.into());
            }
            if !wanted(&row) {
                return Ok(false);
            }
            diesel::update(jobs::table.find(job.0))
                .set((jobs::status.eq(JobStatus::Partial.as_str()), jobs::finished_at.eq(None::<i64>)))
                .execute(conn)?;
            Ok(true)
        })?;
        if is_hidden {
            self.sweep_job(job)?;
        }
        Ok(is_hidden)
    }

    /// Deletes what is left of a job whose creation or deletion was interrupted; a job that is not `partial` is left alone.
    ///
    /// The caller holds the lock of such jobs, alone or for this one.
    pub fn sweep_job(&mut self, job: JobId) -> Result<(), StoreError> {
        while self.write("delete units", |conn| sweep_some(conn, job))? {}
        Ok(())
    }

    /// Returns the space of deleted rows to the file system as far as that needs no rewriting of the whole file.
    pub fn release_space(&mut self) -> Result<(), StoreError> {
        self.conn
            .batch_execute("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);")
            .map_err(|error| Failure::Sql(error).during("tidy up the database", &self.file.path))
    }

    /// Moves the write-ahead log into the database and keeps it short from now on: on a disk that was full once it would
    /// grow to its usual size and fill it again.
    pub fn spare_space(&mut self) -> Result<(), StoreError> {
        self.conn
            .batch_execute("PRAGMA wal_autocheckpoint = 64; PRAGMA wal_checkpoint(TRUNCATE)")
            .map_err(|error| Failure::Sql(error).during("tidy up the database", &self.file.path))
    }

    /// Lets SQLite refresh its statistics where that pays.
    pub fn optimize(&mut self) -> Result<(), StoreError> {
        self.conn
            .batch_execute("PRAGMA optimize")
            .map_err(|error| Failure::Sql(error).during("tidy up the database", &self.file.path))
    }
}

/// Deletes some units of a partial job, or the job itself when it has none left, and returns whether there may be more.
fn sweep_some(conn: &mut SqliteConnection, job: JobId) -> Result<bool, Failure> {
    let partial = || jobs::table.find(job.0).filter(jobs::status.eq(JobStatus::Partial.as_str()));
    if !diesel::select(diesel::dsl::exists(partial())).get_result(conn)? {
        return Ok(false);
    }
    let some = DeleteUnits {
        first: UnitId::new(job, Seq(0)).raw(),
        last: UnitId::new(job, Seq::MAX).raw(),
        limit: UNITS_PER_TRANSACTION,
    };
    if some.execute(conn)? > 0 {
        return Ok(true);
    }
    diesel::delete(partial()).execute(conn)?;
    Ok(false)
}
