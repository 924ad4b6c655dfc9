//! The fencing token of a manager, and the check that every write of one begins with.

use diesel::SqliteConnection;

use super::StoreError;
use super::failure::Failure;
use super::jobs::job_row;
use crate::model::{Epoch, JobId};

/// The right of one manager to write to one job, until a later manager begins its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// The fencing token.
    pub epoch: Epoch,
}

/// Refuses to go on when a later manager has begun its lease.
pub(super) fn expect_lease(conn: &mut SqliteConnection, lease: Lease) -> Result<(), Failure> {
    let Lease { job, epoch } = lease;
    if job_row(conn, job)?.epoch == epoch { Ok(()) } else { Err(StoreError::Fenced { job, epoch }.into()) }
}
