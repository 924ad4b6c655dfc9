//! The state in which a manager leaves its job.

use tracing::{error, info};

use super::coordinator::RunOutcome;
use super::error::ManagerError;
use super::transient::retry_transient;
use crate::crash::crash_point;
use crate::handler::Runner;
use crate::model::{JobStatus, Progress, StopRequest, Timestamp, chain};
use crate::store::{Lease, Leaving, Store};
use crate::sys::StopFlags;

/// Leaves the job in the state that the end of the lease calls for, and returns that.
pub(super) fn conclude(
    store: &mut Store,
    lease: Lease,
    flags: &StopFlags,
    runner: &dyn Runner,
    end: &RunOutcome,
    now: Timestamp,
) -> Result<JobStatus, ManagerError> {
    let status = match end {
        RunOutcome::Finished(status) => *status,
        RunOutcome::Stopped(StopRequest::Cancel) => {
            retry_transient(flags, || store.leave(lease, Leaving::Cancelled, now))?
        }
        // Its units may all have ended while it was being stopped.
        RunOutcome::Stopped(StopRequest::Stop | StopRequest::StopNow) | RunOutcome::Halted(_) => {
            let last = |progress: &Progress| runner.finalizer(progress);
            match (retry_transient(flags, || store.finish(lease, now, last))?, end) {
                (Some(status), _) => status,
                (None, RunOutcome::Halted(halt)) => {
                    let why = Leaving::Halted { status: halt.status, reason: &halt.reason };
                    retry_transient(flags, || store.leave(lease, why, now))?
                }
                (None, _) => {
                    crash_point!("before-pause");
                    let status = retry_transient(flags, || store.leave(lease, Leaving::Stopped, now))?;
                    crash_point!("after-pause");
                    status
                }
            }
        }
        RunOutcome::Failed => unreachable!("a failed thread leaves its error"),
    };
    info!("the job is {status}");
    Ok(status)
}

/// Records what went wrong with the manager. The job failed with it, unless nothing but the recovery of units could not be
/// done: it stays interrupted then, with the error. Returns what the job is then; that even this cannot be written is said in the log.
pub(super) fn record_failure(
    store: &mut Store,
    lease: Lease,
    error: &ManagerError,
    now: Timestamp,
) -> Option<JobStatus> {
    let (message, trace) = (chain(error), format!("{error:?}"));
    let why = match error {
        ManagerError::Recovery { .. } => Leaving::Interrupted { error: &message, trace: &trace },
        _ => Leaving::Failed { error: &message, trace: &trace },
    };
    let left = store.leave(lease, why, now);
    left.inspect_err(|second| error!("cannot record the failure: {}", chain(second))).ok()
}
