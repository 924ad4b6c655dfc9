//! The lease under which a manager writes, and the fence that keeps one from writing whose lease is over.
//!
//! Every transaction of a manager goes through `write_under`, except the recorder's, which ends with the fence itself. Where writers
//! exclude each other, as here, what holds at the beginning of a transaction holds at its end.

use super::connection::{DbConnection, on_server};
use super::counters::Counters;
use super::failure::Failure;
use super::jobs::{job_row, lock_job};
use super::lease::Lease;
use super::renewals::Renewing;
use super::{Store, StoreError, manager_writes, postgres};
use crate::model::{Job, JobStatus, ManagerState};

/// What a manager cannot do any more whose job another manager, or a client, has ended or paused.
pub const GO_ON: &str = "go on with";

impl Store {
    /// Runs `body` in one transaction of a manager, with the row of its job, which is locked. Does nothing when a later manager
    /// has taken over, or the job was ended.
    pub(super) fn write_under<T>(
        &mut self,
        lease: Lease,
        operation: &'static str,
        mut body: impl FnMut(&mut DbConnection, Job) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let mut renewing = self.renewing();
        let done = self.write(operation, |conn| {
            let job = lock_job(conn, lease.job)?;
            stands(conn, lease, &job, &mut renewing)?;
            body(conn, job)
        });
        let done = self.or_left(lease, done)?;
        renewing.succeed();
        Ok(done)
    }

    /// Records that a manager has left its job, where that is what it was told: another one has ended the job, or paused it.
    pub(super) fn or_left<T>(&mut self, lease: Lease, done: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::WrongStatus { operation: GO_ON, status, .. }) = &done {
            self.write("leave the job", |conn| {
                lock_job(conn, lease.job)?;
                let now = postgres::time(conn)?;
                manager_writes::end(conn, lease, ManagerState::Left, status.as_str(), now)
            })?;
        }
        done
    }
}

/// Refuses to go on under a lease that is over, and renews it on a server; `job` is as it is in this transaction.
pub(super) fn stands(conn: &mut DbConnection, lease: Lease, job: &Job, renewing: &mut Renewing) -> Result<(), Failure> {
    if on_server(conn) && !lease.manager.is_nil() {
        let length = postgres::lease_length(&job.limits);
        renewing.ask(length);
        let renewed = postgres::renew(conn, lease, length)?;
        renewed.into_iter().for_each(|at| renewing.leave(at));
        return go_on(conn, lease, job.status, renewed.is_some());
    }
    if job.epoch == lease.epoch { Ok(()) } else { Err(lease.fenced().into()) }
}

/// Ends a record on a server: counts what it has moved under a lease that is renewed, or refuses as [`stands`] does. Returns how many
/// units of the job have failed since its latest start, other managers' too as far as those have recorded them.
pub(super) fn count(
    conn: &mut DbConnection,
    lease: Lease,
    counters: &Counters,
    renewing: &mut Renewing,
) -> Result<u64, Failure> {
    let length = match renewing.length() {
        Some(length) => length,
        None => postgres::lease_length(&job_row(conn, lease.job)?.limits),
    };
    renewing.ask(length);
    let counted = postgres::count(conn, lease, counters, length)?;
    let (status, failures) = match counted {
        Some((status, failures, at)) => {
            renewing.leave(at);
            (status, failures)
        }
        None => (job_row(conn, lease.job)?.status, 0),
    };
    go_on(conn, lease, status, counted.is_some())?;
    Ok(failures)
}

/// Refuses to go on with a job in that state under a lease that is over.
fn go_on(conn: &mut DbConnection, lease: Lease, status: JobStatus, is_renewed: bool) -> Result<(), Failure> {
    match status {
        JobStatus::Running if is_renewed => Ok(()),
        JobStatus::Running => Err(lease.fenced().into()),
        // Its other thread may have left the job for it just now.
        _ if !is_renewed && !postgres::has_left(conn, lease)? => Err(lease.fenced().into()),
        status => Err(StoreError::WrongStatus { operation: GO_ON, job: lease.job, status }.into()),
    }
}
