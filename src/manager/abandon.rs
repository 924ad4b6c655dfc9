//! The way out when a handler does not come back: a thread cannot be killed, but it can be left behind.
//!
//! What becomes of the process is not decided here: a manager ends it, a test goes on.

use super::error::{ManagerError, chain};
use super::log::log_line;
use crate::model::{JobStatus, Limits, StopRequest, Timestamp, Unit, UnitOutcome};
use crate::recovery::policy::{self, Span};
use crate::store::{Batch, Reign, Store, UnitChange};

/// What becomes of the process when units are left; told of them.
pub(super) type Leave = Box<dyn Fn(ManagerError) + Send>;

/// Gives back the units whose handlers do not return, leaves the job in the state that was asked for, and returns how many
/// there are and that state.
pub(super) fn leave_units(
    store: &mut Store,
    reign: Reign,
    limits: &Limits,
    wanted: StopRequest,
) -> Result<(usize, JobStatus), ManagerError> {
    let now = Timestamp::now();
    let changes: Vec<UnitChange> = store
        .running_units(reign.job)?
        .into_iter()
        .map(|unit| {
            // The row has counted the attempt that is under way.
            let before = Unit { attempts: unit.attempts.saturating_sub(1), ..unit };
            let span = Span { started_at: now, ended_at: now };
            let mut change = policy::ended(&before, UnitOutcome::Interrupted.into(), span, limits, reign.epoch);
            // The row has that as well.
            change.started_at = None;
            if let Some(attempt) = &mut change.attempt {
                attempt.started_at = None;
            }
            change
        })
        .collect();
    log_line!("{} handlers do not return, their units are given back", changes.len());
    store.record(reign, &Batch::of(&changes))?;
    let status = match wanted {
        StopRequest::Cancel => store.cancel_job(reign, now)?,
        StopRequest::Stop | StopRequest::StopNow => store.pause_job(reign, now)?,
    };
    Ok((changes.len(), status))
}

/// Says in the job what ended its manager, unless nothing may be written of that; units whose handlers do not return stay as
/// they are, for the next manager.
pub(super) fn leave_failed(store: &mut Store, reign: Reign, error: &ManagerError, now: Timestamp) {
    log_line!("error: {}", chain(error));
    // As for a manager whose threads have all ended.
    if error.is_fenced() || error.is_passing() {
        return;
    }
    if let Err(second) = store.fail_job(reign, &chain(error), &format!("{error:?}"), now) {
        log_line!("error: cannot record the failure: {}", chain(&second));
    }
}
