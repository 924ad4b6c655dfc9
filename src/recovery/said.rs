//! What attempts had said of the time of the next one when their manager died.

use std::io;

use super::error::RecoveryError;
use super::policy::{self, Span};
use crate::files::remove_private_dir;
use crate::handler::JobContext;
use crate::handler::later::last_word;
use crate::model::{AttemptId, Epoch, Limits, Postponement, Timestamp, Unit, UnitOutcome, UnitStatus};
use crate::store::{Store, UnitChange};

/// An attempt that was cut off after it had said when the next one may start.
pub struct Said {
    started_at: Timestamp,
    later: Postponement,
    /// The unit, with how long it has waited.
    unit: Unit,
}

/// Returns what the attempt had said that was under way at a unit; `from` is what its row says. A word that cannot be read is
/// none: the unit runs again.
pub fn said_later(
    store: &mut Store,
    job: &JobContext,
    unit: &Unit,
    from: UnitStatus,
) -> Result<Option<Said>, RecoveryError> {
    if !job.files.later().exists() || job.limits.is_at_most_once() {
        return Ok(None);
    }
    let Some(row) = store.standing(unit.id)? else { return Ok(None) };
    let (number, started_at) = match from {
        UnitStatus::Running => (unit.attempts, row.started_at),
        // The word itself is the only one that knows when it started.
        _ => (unit.attempts + 1, None),
    };
    let seq = unit.id.seq();
    let Ok(Some((attempt, later))) = last_word(&job.files, seq) else { return Ok(None) };
    let AttemptId { revision, attempt: of, started_us, .. } = attempt;
    let word_at = Timestamp::from_micros(started_us);
    let is_started = match from {
        UnitStatus::Running => started_at == Some(word_at),
        // Whatever sent it back since then has set a later time.
        _ => row.not_before.is_none_or(|due| due <= word_at),
    };
    if of != number || revision != unit.revision || !is_started {
        return Ok(None);
    }
    let unit = Unit { postponed: store.postponed(unit.id)?, attempts: number - 1, ..unit.clone() };
    Ok(Some(Said { started_at: word_at, later, unit }))
}

impl Said {
    /// Returns the change for the unit: its attempt ended with its manager, and is made again when it said.
    pub fn change(self, unit: &Unit, from: UnitStatus, limits: &Limits, epoch: Epoch, now: Timestamp) -> UnitChange {
        let span = Span { started_at: self.started_at.min(now), ended_at: now, slot: None };
        let outcome = UnitOutcome::Later(self.later);
        let change = policy::ended(&self.unit, outcome.into(), span, limits, epoch);
        UnitChange { from, seen_attempts: unit.attempts, ..change }
    }
}

/// Clears what attempts have said that are over.
pub fn clear_words(job: &JobContext) -> io::Result<()> {
    if job.files.later().exists() { remove_private_dir(&job.files.later()) } else { Ok(()) }
}
