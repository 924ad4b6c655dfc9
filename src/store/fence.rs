//! The lease under which a manager writes, and the fence that keeps one from writing whose lease is over.
//!
//! Every transaction of a manager goes through `write_under`, except the recorder's, which ends with the fence itself. Where writers
//! exclude each other, as here, what holds at the beginning of a transaction holds at its end.

use super::connection::DbConnection;
use super::failure::Failure;
use super::jobs::lock_job;
use super::{Store, StoreError};
use crate::model::{Epoch, Job, JobId, Timestamp};

/// The right of one manager to write for one job, until another takes over: it names the manager's row.
///
/// What names a row is the store's own affair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    pub(super) job: JobId,
    pub(super) epoch: Epoch,
}

impl Lease {
    /// Returns the job.
    pub fn job(self) -> JobId {
        self.job
    }

    /// Returns the number by which people distinguish the managers of a job.
    pub fn epoch(self) -> Epoch {
        self.epoch
    }

    /// Returns the refusal of what is written once it is over.
    pub fn fenced(self) -> StoreError {
        StoreError::Fenced { job: self.job, epoch: self.epoch }
    }
}

/// What a manager learns while its lease stands.
#[derive(Debug)]
pub struct Fence {
    /// Changes whenever somebody else has written.
    pub version: i64,
    /// The job; none while the version is the one that was seen.
    pub job: Option<Job>,
    /// The time by the store's clock, which is the machine's here.
    pub now: Timestamp,
}

impl Store {
    /// Makes sure that a lease stands, and returns what is new since an answer of the version `seen`.
    ///
    /// While nobody else has written, nobody has taken over either, and no row is read.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when a later manager has taken over.
    pub fn fence(&mut self, lease: Lease, seen: Option<i64>) -> Result<Fence, StoreError> {
        let (version, now) = (self.data_version()?, Timestamp::now());
        if seen == Some(version) {
            return Ok(Fence { version, job: None, now });
        }
        let job = self.job(lease.job)?;
        if job.epoch == lease.epoch { Ok(Fence { version, job: Some(job), now }) } else { Err(lease.fenced()) }
    }

    /// Runs `body` in one transaction of a manager, with the row of its job, which is locked. Does nothing when a later manager
    /// has taken over.
    pub(super) fn write_under<T>(
        &mut self,
        lease: Lease,
        operation: &'static str,
        body: impl FnOnce(&mut DbConnection, Job) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        self.write(operation, |conn| {
            let job = lock_job(conn, lease.job)?;
            if job.epoch == lease.epoch { body(conn, job) } else { Err(lease.fenced().into()) }
        })
    }
}
