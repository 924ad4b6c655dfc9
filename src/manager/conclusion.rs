//! The state in which a manager leaves its job.

use super::coordinator::ReignEnd;
use super::error::ManagerError;
use super::log::log_line;
use super::patience::patiently;
use crate::crash::crash_point;
use crate::handler::Runner;
use crate::model::{JobStatus, Progress, StopRequest, Timestamp, chain};
use crate::store::{Reign, Store};
use crate::sys::StopFlags;

/// Leaves the job in the state that the end of the reign calls for, and returns that.
pub(super) fn conclude(
    store: &mut Store,
    reign: Reign,
    flags: &StopFlags,
    runner: &dyn Runner,
    end: &ReignEnd,
    now: Timestamp,
) -> Result<JobStatus, ManagerError> {
    let status = match end {
        ReignEnd::Finished(status) => *status,
        ReignEnd::Stopped(StopRequest::Cancel) => patiently(flags, || store.cancel_job(reign, now))?,
        // Its units may all have ended while it was being stopped.
        ReignEnd::Stopped(StopRequest::Stop | StopRequest::StopNow) | ReignEnd::Halted(_) => {
            let last = |progress: &Progress| runner.last_unit(progress);
            match (patiently(flags, || store.finish_job(reign, now, last))?, end) {
                (Some(status), _) => status,
                (None, ReignEnd::Halted(halt)) => {
                    patiently(flags, || store.halt_job(reign, halt.status, &halt.reason, now))?
                }
                (None, _) => {
                    crash_point!("before-pause");
                    let status = patiently(flags, || store.pause_job(reign, now))?;
                    crash_point!("after-pause");
                    status
                }
            }
        }
        ReignEnd::Failed => unreachable!("a failed thread leaves its error"),
    };
    log_line!("the job is {status}");
    Ok(status)
}

/// Records what went wrong with the manager. The job failed with it, unless nothing but the recovery of units could not be
/// done: it stays interrupted then, with the error. That even this cannot be written is said in the log.
pub(super) fn record_failure(store: &mut Store, reign: Reign, error: &ManagerError, now: Timestamp) {
    let (message, trace) = (chain(error), format!("{error:?}"));
    let recorded = match error {
        ManagerError::Recovery { .. } => store.note_error(reign, &message, &trace),
        _ => store.fail_job(reign, &message, &trace, now),
    };
    if let Err(second) = recorded {
        log_line!("error: cannot record the failure: {}", chain(&second));
    }
}
