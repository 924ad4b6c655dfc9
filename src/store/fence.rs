//! The fencing token of a manager, and the check that every write of one begins with.

use diesel::SqliteConnection;

use super::StoreError;
use super::failure::Failure;
use super::jobs::lock_job;
use crate::model::{Epoch, Job, JobId};

/// The right of one manager to write to one job, until a later manager begins its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// The fencing token.
    pub epoch: Epoch,
}

/// Locks the job of a lease and returns it; refuses to go on when a later manager has begun its own.
pub(super) fn expect_lease(conn: &mut SqliteConnection, lease: Lease) -> Result<Job, Failure> {
    let Lease { job, epoch } = lease;
    let row = lock_job(conn, job)?;
    if row.epoch == epoch { Ok(row) } else { Err(StoreError::Fenced { job, epoch }.into()) }
}
