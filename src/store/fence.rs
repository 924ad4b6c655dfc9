//! The lease under which a manager writes, and the fence that keeps one from writing whose lease is over.
//!
//! Every transaction of a manager goes through `write_under`, except the recorder's, which ends with the fence itself. Where writers
//! exclude each other, as here, what holds at the beginning of a transaction holds at its end.

use std::time::Duration;

use super::connection::{DbConnection, on_server};
use super::failure::Failure;
use super::jobs::{job_row, lock_job};
use super::lease::{Fence, Lease};
use super::renewals::Renewing;
use super::{Store, StoreError, manager_writes, postgres};
use crate::model::{Job, JobStatus, ManagerState, Timestamp};

/// What a manager cannot do any more whose job another manager, or a client, has ended or paused.
pub const GO_ON: &str = "go on with";

impl Store {
    /// Makes sure that a lease stands, and returns what is new since an answer of the version `seen`.
    ///
    /// While nobody else has written, nobody has taken over either, and no row is read.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when a later manager has taken over; [`StoreError::WrongStatus`] when the job does not run any more.
    pub fn fence(&mut self, lease: Lease, seen: Option<i64>) -> Result<Fence, StoreError> {
        let (version, now) = (self.data_version()?, self.server_time()?.unwrap_or_else(Timestamp::now));
        if seen == Some(version) {
            return Ok(Fence { version, job: None, share: None, now });
        }
        let (job, share) = self.read("read the job", |conn| {
            let job = job_row(conn, lease.job)?;
            if on_server(conn) {
                let share = job.limits.are_shared().then(|| postgres::share(conn, lease)).transpose()?;
                return Ok((job, share));
            }
            if job.epoch != lease.epoch { Err(lease.fenced().into()) } else { Ok((job, None)) }
        })?;
        let length = postgres::lease_length(&job.limits);
        let is_over = job.status != JobStatus::Running;
        let is_renewed = on_server(&mut self.conn)
            && (is_over || self.read("look at the lease", |conn| postgres::is_due(conn, lease, length))?);
        let job = if is_renewed { self.write_under(lease, "renew the lease", |_, job| Ok(job))? } else { job };
        Ok(Fence { version, job: Some(job), share, now })
    }

    /// Returns how much time passes between two looks of a manager at what others have written. In a file a look costs nothing;
    /// on a server it is a round trip, and managers that have nothing to do are not to keep it busy.
    pub fn look_every(&mut self) -> Duration {
        if on_server(&mut self.conn) { Duration::from_secs(1) } else { Duration::ZERO }
    }

    /// Returns the time by the clock of the server; none without one.
    pub fn server_time(&mut self) -> Result<Option<Timestamp>, StoreError> {
        if !on_server(&mut self.conn) {
            return Ok(None);
        }
        self.read("look at the clock", |conn| Ok(Some(postgres::time(conn)?)))
    }

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
        let is_renewed = postgres::renew(conn, lease, length)?;
        return match job.status {
            JobStatus::Running if is_renewed => Ok(()),
            JobStatus::Running => Err(lease.fenced().into()),
            // Its other thread may have left the job for it just now.
            _ if !is_renewed && !postgres::has_left(conn, lease)? => Err(lease.fenced().into()),
            status => Err(StoreError::WrongStatus { operation: GO_ON, job: job.id, status }.into()),
        };
    }
    if job.epoch == lease.epoch { Ok(()) } else { Err(lease.fenced().into()) }
}
