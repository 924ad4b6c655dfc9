//! Deletion of jobs, in transactions of bounded size.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::schema::jobs;
use super::statement::statement;
use super::{Store, StoreError};
use crate::model::{JobId, JobStatus, Seq, UnitId};

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
    /// Deletes a job with everything that belongs to it.
    ///
    /// The caller holds the job's lock. The job disappears for readers with the first transaction; a crash leaves
    /// a `partial` job behind, which [`Store::sweep_job`] deletes.
    pub fn delete_job(&mut self, job: JobId) -> Result<(), StoreError> {
        self.write("delete the job", |conn| {
            let row = super::jobs::job_row(conn, job)?;
            if !row.status.can_become(JobStatus::Partial) {
                return Err(StoreError::WrongStatus { operation: "delete", job, status: row.status }.into());
            }
            diesel::update(jobs::table.find(job.0))
                .set((jobs::status.eq(JobStatus::Partial.as_str()), jobs::finished_at.eq(None::<i64>)))
                .execute(conn)?;
            Ok(())
        })?;
        self.sweep_job(job)
    }

    /// Deletes what is left of a job whose creation or deletion was interrupted; the caller holds its lock.
    pub fn sweep_job(&mut self, job: JobId) -> Result<(), StoreError> {
        let some = || DeleteUnits {
            first: UnitId::new(job, Seq(0)).raw(),
            last: UnitId::new(job, Seq::MAX).raw(),
            limit: UNITS_PER_TRANSACTION,
        };
        while self.write("delete units", |conn| Ok(some().execute(conn)?))? > 0 {}
        self.write("delete the job", |conn| {
            let partial = jobs::table.find(job.0).filter(jobs::status.eq(JobStatus::Partial.as_str()));
            diesel::delete(partial).execute(conn)?;
            Ok(())
        })
    }

    /// Returns the space of deleted rows to the file system as far as that needs no rewriting of the whole file.
    pub fn release_space(&mut self) -> Result<(), StoreError> {
        self.conn
            .batch_execute("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE);")
            .map_err(|error| super::error::Failure::Sql(error).during("tidy up the database", &self.file.path))
    }

    /// Moves the write-ahead log into the database and keeps it short from now on: on a disk that was full once it would
    /// grow to its usual size and fill it again.
    pub fn spare_space(&mut self) -> Result<(), StoreError> {
        self.conn
            .batch_execute("PRAGMA wal_autocheckpoint = 64; PRAGMA wal_checkpoint(TRUNCATE)")
            .map_err(|error| super::error::Failure::Sql(error).during("tidy up the database", &self.file.path))
    }

    /// Lets SQLite refresh its statistics where that pays.
    pub fn optimize(&mut self) -> Result<(), StoreError> {
        self.conn
            .batch_execute("PRAGMA optimize")
            .map_err(|error| super::error::Failure::Sql(error).during("tidy up the database", &self.file.path))
    }
}
