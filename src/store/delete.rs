//! Deletion of jobs, in transactions of bounded size.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::connection::{DbConnection, as_sqlite, on_server};
use super::failure::Failure;
use super::jobs::lock_job;
use super::metadata::key;
use super::schema::{jobs, metadata};
use super::statement::statement;
use super::tallies::keep_ended;
use super::{Store, StoreError, postgres};
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

statement! {
    struct HideJob { "UPDATE jobs SET status = 'partial', finished_at = NULL WHERE id = " id: i64 as BigInt, }
    ""
}

// Changes nothing but tells whether it is one, and locks its row.
statement! { pub(super) struct LockPartial { "UPDATE jobs SET status = 'partial' WHERE status = 'partial' AND id = " id: i64 as BigInt, } "" }
statement! { struct DeletePartial { "DELETE FROM jobs WHERE status = 'partial' AND id = " id: i64 as BigInt, } "" }

impl Store {
    /// Deletes those of some jobs that are `wanted` as they are now, with everything that belongs to them, and returns them. One
    /// whose row cannot be read is deleted where that is wanted.
    ///
    /// The caller holds the lock of each job. All of them disappear for readers with the first transaction; a crash leaves
    /// `partial` jobs behind, which [`Store::sweep_jobs`] deletes.
    pub fn delete_jobs(
        &mut self,
        jobs: &[JobId],
        wanted: impl Fn(Result<&Job, &StoreError>) -> bool,
    ) -> Result<Vec<JobId>, StoreError> {
        let (hidden, gone) = self.write("delete jobs", |conn| {
            let mut hidden = Vec::new();
            for &job in jobs {
                let row = match lock_job(conn, job) {
                    Ok(row) => Ok(row),
                    Err(Failure::Store(unreadable @ StoreError::Unreadable(_))) => Err(unreadable),
                    Err(error) => return Err(error),
                };
                match row.as_ref() {
                    row if !wanted(row) => {}
                    Ok(row) if !row.status.can_become(JobStatus::Partial) => {
                        return Err(StoreError::WrongStatus { operation: "delete", job, status: row.status }.into());
                    }
                    _ if on_server(conn) && postgres::is_held(conn, job)? => {
                        return Err(StoreError::ManagedElsewhere { job }.into());
                    }
                    _ => {
                        HideJob { id: job.0 }.execute(conn)?;
                        hidden.push(job);
                    }
                }
            }
            keep_ended(conn, &hidden)?;
            let gone = sweep_some(conn, &hidden)?;
            Ok((hidden, gone))
        })?;
        self.sweep_jobs(&hidden[gone..])?;
        Ok(hidden)
    }

    /// Deletes what is left of jobs whose creation or deletion was interrupted; a job that is not `partial` is left alone.
    ///
    /// The caller holds the lock of such jobs, alone or for these.
    pub fn sweep_jobs(&mut self, jobs: &[JobId]) -> Result<(), StoreError> {
        let mut left = jobs;
        while !left.is_empty() {
            let gone = self.write("delete units", |conn| sweep_some(conn, left))?;
            left = &left[gone..];
        }
        Ok(())
    }

    /// Returns jobs that are being created or deleted, or were left so by a crash; a complete copy that only
    /// waits for its source to be cancelled is not among them.
    pub fn partial_jobs(&mut self) -> Result<Vec<JobId>, StoreError> {
        self.read("look for interrupted creations", |conn| {
            let found: Vec<i64> = jobs::table
                .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("status = 'partial'"))
                .filter(diesel::dsl::not(diesel::dsl::exists(
                    metadata::table.filter(metadata::job_id.eq(jobs::id).and(metadata::key.eq(key::HELD_COPY))),
                )))
                .select(jobs::id)
                .load(conn)?;
            Ok(found.into_iter().map(JobId).collect())
        })
    }

    /// Moves the write-ahead log into the database and keeps it short from now on: on a disk that was full once it would
    /// grow to its usual size and fill it again.
    pub fn spare_space(&mut self) -> Result<(), StoreError> {
        let Some(conn) = as_sqlite(&mut self.conn) else { return Ok(()) };
        conn.batch_execute("PRAGMA wal_autocheckpoint = 64; PRAGMA wal_checkpoint(TRUNCATE)")
            .map_err(|error| Failure::Sql(error).during("tidy up the database", &self.file.path))
    }
}

/// Deletes units of partial jobs, one job after the other, and each job that has none left; returns how many jobs need
/// nothing more.
fn sweep_some(conn: &mut DbConnection, jobs: &[JobId]) -> Result<usize, Failure> {
    let mut room = UNITS_PER_TRANSACTION;
    for (gone, &job) in jobs.iter().enumerate() {
        if (LockPartial { id: job.0 }).execute(conn)? == 0 {
            continue;
        }
        let (first, last) = (UnitId::new(job, Seq(0)).raw(), UnitId::new(job, Seq::MAX).raw());
        let deleted = DeleteUnits { first, last, limit: room }.execute(conn)?;
        room -= i64::try_from(deleted).expect("a transaction deletes few units");
        if room == 0 {
            return Ok(gone);
        }
        DeletePartial { id: job.0 }.execute(conn)?;
    }
    Ok(jobs.len())
}
