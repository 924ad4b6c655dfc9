//! The lease under which a manager writes, and the fence that keeps one from writing whose lease is over.
//!
//! Every transaction of a manager goes through `write_under`, except the recorder's, which ends with the fence itself. Where writers
//! exclude each other, as here, what holds at the beginning of a transaction holds at its end.

use super::connection::{DbConnection, on_server};
use super::failure::Failure;
use super::jobs::{job_row, lock_job};
use super::lease::{Fence, Lease};
use super::{Store, StoreError, manager_writes, postgres};
use crate::model::{Job, ManagerState, Timestamp};

impl Store {
    /// Makes sure that a lease stands, and returns what is new since an answer of the version `seen`.
    ///
    /// While nobody else has written, nobody has taken over either, and no row is read.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when a later manager has taken over.
    pub fn fence(&mut self, lease: Lease, seen: Option<i64>) -> Result<Fence, StoreError> {
        let (version, now) = (self.data_version()?, self.server_time()?.unwrap_or_else(Timestamp::now));
        if seen == Some(version) {
            return Ok(Fence { version, job: None, share: None, now });
        }
        if on_server(&mut self.conn) && self.read("look at the lease", |conn| postgres::is_due(conn, lease))? {
            self.write_under(lease, "renew the lease", |_, _| Ok(()))?;
        }
        let (job, share) = self.read("read the job", |conn| {
            let job = job_row(conn, lease.job)?;
            if on_server(conn) {
                let share = job.limits.are_shared().then(|| postgres::share(conn, lease)).transpose()?;
                return Ok((job, share));
            }
            if job.epoch != lease.epoch { Err(lease.fenced().into()) } else { Ok((job, None)) }
        })?;
        if job.status.is_terminal() {
            // Another manager has ended it.
            let (left, why) = (ManagerState::Left, job.status.as_str());
            self.write_under(lease, "leave the job", |conn, _| manager_writes::end(conn, lease, left, why, now))?;
            return Err(lease.fenced());
        }
        Ok(Fence { version, job: Some(job), share, now })
    }

    /// Returns the time by the clock of the server; none without one.
    pub fn server_time(&mut self) -> Result<Option<Timestamp>, StoreError> {
        if !on_server(&mut self.conn) {
            return Ok(None);
        }
        self.read("look at the clock", |conn| Ok(Some(postgres::time(conn)?)))
    }

    /// Runs `body` in one transaction of a manager, with the row of its job, which is locked. Does nothing when a later manager
    /// has taken over.
    pub(super) fn write_under<T>(
        &mut self,
        lease: Lease,
        operation: &'static str,
        mut body: impl FnMut(&mut DbConnection, Job) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.write(operation, |conn| {
            let job = lock_job(conn, lease.job)?;
            stands(conn, lease, &job)?;
            body(conn, job)
        })
    }
}

/// Refuses to go on under a lease that is over, and renews it on a server; `job` is as it is in this transaction.
pub(super) fn stands(conn: &mut DbConnection, lease: Lease, job: &Job) -> Result<(), Failure> {
    if on_server(conn) && !lease.manager.is_nil() {
        return postgres::renew(conn, lease);
    }
    if job.epoch == lease.epoch { Ok(()) } else { Err(lease.fenced().into()) }
}
