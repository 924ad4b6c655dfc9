//! The end of an attempt that has said when the next one may start.

use crate::handler::later::word_of;
use crate::model::{AttemptId, Cause, JobFiles, Postponement, UnitOutcome};
use crate::sys::Ending;

/// Takes an attempt at its word, whatever its exit code means: one that came to its end by itself, or was cut off by a stop. One
/// that took too long or was ended by a signal means that.
pub(super) fn or_later(judged: UnitOutcome, ending: &Ending, files: &JobFiles, attempt: AttemptId) -> UnitOutcome {
    if !ending.stopped && (ending.timed_out || ending.exit_code.is_none()) {
        return judged;
    }
    match word_of(files, attempt) {
        Ok(None) => judged,
        Ok(Some(later)) => {
            let is_busy = later.is_busy || judged.is_busy();
            UnitOutcome::Later(Postponement { is_busy, ..later })
        }
        Err(error) => {
            let error = format!("cannot read when its next attempt is to start: {error}");
            UnitOutcome::Retry { cause: Cause::Failed, error, delay: None }
        }
    }
}
