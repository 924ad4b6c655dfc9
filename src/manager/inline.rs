//! Running a job inside the calling process, for tests: the same engine, without detachment and signals.

use std::path::Path;

use super::clock::Clock;
use super::error::ManagerError;
use super::panics;
use super::run::{Taken, serve, take_post};
use crate::handler::Handlers;
use crate::model::{JobId, JobStatus};
use crate::sys::StopFlags;

/// Runs a job until it has ended or is paused, and returns the state it is left in.
pub(crate) fn run_inline(db: &Path, job: JobId, handlers: &Handlers, clock: Clock) -> Result<JobStatus, ManagerError> {
    panics::extend_hook();
    match take_post(db, job, StopFlags::default(), clock)? {
        Taken::Post(post) => serve(*post, handlers),
        Taken::Already { pid } => Err(ManagerError::Already { job, pid }),
    }
}
