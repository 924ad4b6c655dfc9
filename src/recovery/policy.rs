//! What the end of an attempt means for its unit: a pure function from outcome, limits and history to a change.

use std::time::Duration;

use crate::model::{
    AttemptEnd, Cause, Epoch, Kill, Limits, Metered, OnInterrupt, Postponement, Timestamp, Unit, UnitOutcome,
    UnitStatus, When, backoff_delay, span,
};
use crate::store::UnitChange;

/// When and where an attempt ran.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// The worker slot, from 1; none where only the unit's row may know it.
    pub slot: Option<u32>,
}

/// Returns the change that records the start of the unit's next attempt in a slot.
pub fn started(unit: &Unit, at: Timestamp, slot: u32) -> UnitChange {
    UnitChange { started_at: Some(at), slot: Some(slot), ..change(unit, UnitStatus::Pending, UnitStatus::Running) }
}

/// Returns the change that records how an attempt ended.
pub fn ended(unit: &Unit, end: AttemptEnd, span: Span, limits: &Limits, epoch: Epoch) -> UnitChange {
    let number = unit.attempts + 1;
    let end = AttemptEnd { outcome: postponed(unit, end.outcome, span, limits), ..end };
    let back_at = |delay| (UnitStatus::Pending, Some(span.ended_at + delay));
    let (mut attempts, mut started_at, mut slot) = (number, Some(span.started_at), span.slot);
    let (to, not_before) = match &end.outcome {
        UnitOutcome::Completed { .. } => (UnitStatus::Completed, None),
        UnitOutcome::Skipped { .. } => (UnitStatus::Skipped, None),
        UnitOutcome::Cancelled { .. } => (UnitStatus::Cancelled, None),
        UnitOutcome::Retry { delay, .. } if number < limits.max_attempts => {
            back_at(delay.unwrap_or_else(|| backoff_delay(limits, unit.id, number)))
        }
        UnitOutcome::Retry { .. } | UnitOutcome::Failed { .. } => (UnitStatus::Failed, None),
        UnitOutcome::PauseJob { .. } | UnitOutcome::Later(_) if limits.is_at_most_once() => (UnitStatus::Failed, None),
        UnitOutcome::Later(Postponement { when, .. }) => {
            attempts = unit.attempts;
            (UnitStatus::Pending, Some(next_attempt(unit, *when, span, limits)))
        }
        UnitOutcome::PauseJob { delay, .. } => {
            attempts = unit.attempts;
            back_at((*delay).max(Postponement::LEAST))
        }
        UnitOutcome::NotStarted { .. } => {
            // No attempt was made, so that there is nothing to record of one, whatever the unit is worth.
            (attempts, started_at, slot) = (unit.attempts, None, None);
            back_at(Duration::ZERO)
        }
        UnitOutcome::Interrupted if limits.on_interrupt == OnInterrupt::Fail => (UnitStatus::Failed, None),
        UnitOutcome::Interrupted => {
            // Our own doing: the attempt is not counted.
            attempts = unit.attempts;
            back_at(Duration::ZERO)
        }
    };
    let (ended_at, end) = (Some(span.ended_at), Some(end));
    UnitChange { attempts, not_before, started_at, slot, ended_at, epoch, end, ..change(unit, UnitStatus::Running, to) }
}

/// Works out when a postponed unit is to be tried again; one that has waited as long as it may has failed instead.
fn postponed(unit: &Unit, outcome: UnitOutcome, ran: Span, limits: &Limits) -> UnitOutcome {
    let (UnitOutcome::Later(Postponement { reason, .. }) | UnitOutcome::PauseJob { reason, .. }) = &outcome else {
        return outcome;
    };
    let number = unit.attempts + 1;
    let waited = unit.postponed.waited(number, ran.started_at);
    let too_long = limits.max_later.filter(|most| waited >= *most).map(|most| {
        // As it is written: two days are 48h.
        let hours = Some(most.as_secs()).filter(|seconds| *seconds > 0 && seconds % 3600 == 0);
        let most = hours.map_or_else(|| span(most), |seconds| format!("{}h", seconds / 3600));
        format!("has waited {most}: {reason}")
    });
    match (too_long, outcome) {
        (Some(error), _) => UnitOutcome::Failed { cause: Cause::Failed, error },
        (None, UnitOutcome::Later(later)) => {
            let times = unit.postponed.times_before(number);
            let backoff = || backoff_delay(limits, unit.id, number.saturating_add(times));
            let until = later.until(ran.ended_at, backoff);
            UnitOutcome::Later(Postponement { when: When::Until(until), ..later })
        }
        (None, other) => other,
    }
}

/// Returns the time of the next attempt at a postponed unit: not after all the time that it may wait, so that it is looked
/// at once more then.
fn next_attempt(unit: &Unit, when: When, ran: Span, limits: &Limits) -> Timestamp {
    let When::Until(until) = when else { unreachable!("it was worked out before") };
    let waited = unit.postponed.waited(unit.attempts + 1, ran.started_at);
    limits.max_later.map_or(until, |most| until.min(ran.ended_at + most.saturating_sub(waited)))
}

/// Returns the change for a unit that ran when its manager died; `from` is what its row says.
pub fn crashed(
    unit: &Unit,
    from: UnitStatus,
    orphans_gone: bool,
    limits: &Limits,
    epoch: Epoch,
    now: Timestamp,
) -> UnitChange {
    let counted = if from == UnitStatus::Running { unit.attempts } else { unit.attempts + 1 };
    let crashes = unit.crashes + 1;
    let failed = |cause, error| (UnitStatus::Failed, counted, None, UnitOutcome::Failed { cause, error });
    let died = || "the manager died while this unit ran".to_owned();
    let (to, attempts, not_before, outcome) = if !orphans_gone {
        failed(Cause::NeedsAttention, "needs attention: a process of its last attempt cannot be ended".to_owned())
    } else if limits.on_interrupt == OnInterrupt::Fail {
        failed(Cause::Crashed, died())
    } else if crashes >= Limits::MAX_CRASHES {
        failed(Cause::Crashed, format!("the manager died {crashes} times while this unit ran"))
    } else {
        // Not at once: a unit that is the cause would otherwise take the others down with it again and again.
        let not_before = Some(now + backoff_delay(limits, unit.id, crashes));
        let outcome = UnitOutcome::Retry { cause: Cause::Crashed, error: died(), delay: None };
        (UnitStatus::Pending, counted - 1, not_before, outcome)
    };
    // It may have cost something, whatever it had said by then.
    let end = AttemptEnd::from(outcome).metered(metered_of_lost(unit, limits));
    let (ended_at, end, seen_attempts) = (Some(now), Some(end), unit.attempts);
    UnitChange { seen_attempts, attempts, crashes, not_before, ended_at, epoch, end, ..change(unit, from, to) }
}

/// Returns the change for a unit that ran when its manager died, and whose attempt was to end as `kill` says.
pub fn obeyed(unit: &Unit, kill: Kill, limits: &Limits, epoch: Epoch, now: Timestamp) -> UnitChange {
    // The row has counted the attempt.
    let before = Unit { attempts: unit.attempts.saturating_sub(1), ..unit.clone() };
    let span = Span { started_at: Timestamp::from_micros(kill.attempt.started_us), ended_at: now, slot: None };
    let end = AttemptEnd::from(kill.outcome()).metered(metered_of_lost(unit, limits));
    ended(&before, end, span, limits, epoch)
}

/// Returns what is known of the cost of an attempt whose manager died, or left it: nothing, but the last unit of a job is none that
/// anybody pays for.
pub fn metered_of_lost(unit: &Unit, limits: &Limits) -> Vec<Metered> {
    let is_last = unit.key.as_deref().is_some_and(Unit::is_last_key);
    if is_last { Vec::new() } else { Metered::unknown(&limits.meters) }
}

fn change(unit: &Unit, from: UnitStatus, to: UnitStatus) -> UnitChange {
    UnitChange {
        unit: unit.id,
        from,
        to,
        // The row of a unit that runs has counted the attempt.
        seen_attempts: unit.attempts + u32::from(from == UnitStatus::Running),
        attempts: unit.attempts + 1,
        revision: unit.revision,
        crashes: unit.crashes,
        not_before: None,
        started_at: None,
        slot: None,
        ended_at: None,
        epoch: Epoch(0),
        end: None,
    }
}

#[cfg(test)]
mod tests;
