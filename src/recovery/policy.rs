//! What the end of an attempt means for its unit: a pure function from outcome, limits and history to a change.

use std::time::Duration;

use crate::model::{
    AttemptEnd, Cause, Epoch, Kill, Limits, Metered, OnInterrupt, Postponement, Timestamp, Unit, UnitOutcome,
    UnitStatus, When, backoff_delay, span,
};
use crate::store::UnitChange;

/// When an attempt ran.
#[derive(Debug, Clone, Copy)]
pub struct Span {
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
}

/// Returns the change that records the start of the unit's next attempt.
pub fn started(unit: &Unit, at: Timestamp) -> UnitChange {
    UnitChange { started_at: Some(at), ..change(unit, UnitStatus::Pending, UnitStatus::Running) }
}

/// Returns the change that records how an attempt ended.
pub fn ended(unit: &Unit, end: AttemptEnd, span: Span, limits: &Limits, epoch: Epoch) -> UnitChange {
    let number = unit.attempts + 1;
    let end = AttemptEnd { outcome: postponed(unit, end.outcome, span, limits), ..end };
    let back_at = |delay| (UnitStatus::Pending, Some(span.ended_at + delay));
    let (mut attempts, mut started_at) = (number, Some(span.started_at));
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
            (attempts, started_at) = (unit.attempts, None);
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
    UnitChange { attempts, not_before, started_at, ended_at, epoch, end, ..change(unit, UnitStatus::Running, to) }
}

/// Works out when a postponed unit is to be tried again; one that has waited as long as it may has failed instead.
fn postponed(unit: &Unit, outcome: UnitOutcome, ran: Span, limits: &Limits) -> UnitOutcome {
    let UnitOutcome::Later(later) = outcome else { return outcome };
    let number = unit.attempts + 1;
    let waited = unit.postponed.waited(number, ran.started_at);
    match limits.max_later.filter(|most| waited >= *most) {
        Some(most) => {
            // As it is written: two days are 48h.
            let hours = Some(most.as_secs()).filter(|seconds| *seconds > 0 && seconds % 3600 == 0);
            let most = hours.map_or_else(|| span(most), |seconds| format!("{}h", seconds / 3600));
            let error = format!("has waited {most}: {}", later.reason);
            UnitOutcome::Failed { cause: Cause::Failed, error }
        }
        None => {
            let times = unit.postponed.times_before(number);
            let backoff = || backoff_delay(limits, unit.id, number.saturating_add(times));
            let until = later.until(ran.ended_at, backoff);
            UnitOutcome::Later(Postponement { when: When::Until(until), ..later })
        }
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
    let span = Span { started_at: Timestamp::from_micros(kill.attempt.started_us), ended_at: now };
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
        ended_at: None,
        epoch: Epoch(0),
        end: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{JobId, PastAttempt, Postponed};

    const NOW: Timestamp = Timestamp::from_micros(1_000_000);
    const SPAN: Span = Span { started_at: Timestamp::from_micros(1), ended_at: NOW };

    fn unit(attempts: u32, crashes: u32) -> Unit {
        Unit { attempts, crashes, ..Unit::pending(JobId(1), 1) }
    }

    fn retry() -> AttemptEnd {
        UnitOutcome::Retry { cause: Cause::Failed, error: "exited with code 1".to_owned(), delay: None }.into()
    }

    fn at_most_once() -> Limits {
        let mut limits = Limits::default();
        limits.set_at_most_once();
        limits
    }

    #[test]
    fn a_failure_is_tried_again_later_until_attempts_run_out() {
        let limits = Limits { max_attempts: 2, ..Limits::default() };

        let first = ended(&unit(0, 0), retry(), SPAN, &limits, Epoch(1));
        let last = ended(&unit(1, 0), retry(), SPAN, &limits, Epoch(1));

        assert_eq!((first.to, first.attempts), (UnitStatus::Pending, 1));
        assert!(first.not_before >= Some(NOW));
        assert_eq!((last.to, last.attempts, last.not_before), (UnitStatus::Failed, 2, None));
        assert_eq!(last.failure().unwrap().0, Cause::Failed);
    }

    #[test]
    fn an_interruption_costs_no_attempt() {
        let change = ended(&unit(1, 0), UnitOutcome::Interrupted.into(), SPAN, &Limits::default(), Epoch(1));

        assert_eq!((change.to, change.attempts), (UnitStatus::Pending, 1));
    }

    #[test]
    fn what_the_manager_lacks_costs_no_attempt_and_leaves_none_behind() {
        let lacks = UnitOutcome::NotStarted { lack: crate::model::Lack::OpenFiles, error: "too many".to_owned() };
        for limits in [Limits { max_attempts: 1, ..Limits::default() }, at_most_once()] {
            let change = ended(&unit(0, 0), lacks.clone().into(), SPAN, &limits, Epoch(1));

            assert_eq!((change.to, change.attempts), (UnitStatus::Pending, 0));
            assert!(change.failure().is_none());
            assert_eq!(change.error(), Some("too many"));
        }
    }

    #[test]
    fn a_pause_of_the_job_costs_no_attempt_and_holds_the_others() {
        let delay = Duration::from_secs(60);
        let end = UnitOutcome::PauseJob { delay, reason: "quota".to_owned() };

        let change = ended(&unit(2, 0), end.into(), SPAN, &Limits::default(), Epoch(1));

        assert_eq!((change.to, change.attempts), (UnitStatus::Pending, 2));
        assert_eq!(change.not_before, Some(NOW + delay));
        assert_eq!(change.hold(), Some((NOW + delay, "quota")));
    }

    #[test]
    fn a_postponed_unit_waits_for_its_time_and_a_busy_one_longer_each_time() {
        let later = |when| UnitOutcome::Later(Postponement::new(when, "not yet".to_owned()));
        let of = |unit: &Unit, when, limits: &Limits| ended(unit, later(when).into(), SPAN, limits, Epoch(1));
        let (limits, minute) = (Limits { max_attempts: 1, ..Limits::default() }, Duration::from_secs(60));

        let change = of(&unit(0, 0), When::After(minute), &limits);
        assert_eq!((change.to, change.attempts, change.not_before), (UnitStatus::Pending, 0, Some(NOW + minute)));
        let soon = Some(NOW + Postponement::LEAST);
        for at_once in [When::Until(Timestamp::from_micros(5)), When::After(Duration::ZERO)] {
            assert_eq!(of(&unit(0, 0), at_once, &limits).not_before, soon);
        }
        let no_backoff = Limits { backoff_base: Duration::ZERO, backoff_cap: Duration::ZERO, ..limits.clone() };
        assert_eq!(of(&unit(0, 0), When::Backoff, &no_backoff).not_before, soon);

        let past =
            |number| PastAttempt { number, cause: Cause::Postponed, started_at: None, ended_at: SPAN.started_at };
        let after = |times| Unit { postponed: Postponed::of(vec![past(1); times]), ..unit(0, 0) };
        let delays: Vec<_> =
            (0..20).map(|times| of(&after(times), When::Backoff, &limits).not_before.unwrap()).collect();
        let longest = |delays: &[Timestamp]| delays.iter().max().unwrap().since(NOW);
        assert!(longest(&delays[..3]) <= Duration::from_secs(4) && longest(&delays) > minute, "{delays:?}");
        let once = of(&unit(0, 0), When::Backoff, &at_most_once());
        assert_eq!((once.to, once.attempts), (UnitStatus::Failed, 1));
    }

    #[test]
    fn fault_136_an_at_most_once_unit_has_one_attempt_however_it_ends() {
        let pause = UnitOutcome::PauseJob { delay: Duration::from_secs(60), reason: "quota".to_owned() };

        let ends = [retry(), pause.into(), UnitOutcome::Interrupted.into()];
        let changes = ends.map(|end| ended(&unit(0, 0), end, SPAN, &at_most_once(), Epoch(1)));

        assert_eq!(changes.each_ref().map(|change| change.to), [UnitStatus::Failed; 3]);
        assert_eq!(changes.map(|change| change.hold().is_some()), [false, true, false], "the others wait all the same");
    }

    #[test]
    fn an_at_most_once_unit_is_never_run_again() {
        let interrupted = ended(&unit(0, 0), UnitOutcome::Interrupted.into(), SPAN, &at_most_once(), Epoch(1));
        let crashed = crashed(&unit(1, 0), UnitStatus::Running, true, &at_most_once(), Epoch(2), NOW);

        assert_eq!(interrupted.to, UnitStatus::Failed);
        assert_eq!(crashed.to, UnitStatus::Failed);
    }

    #[test]
    fn fault_40_the_third_death_of_a_manager_fails_the_unit() {
        let limits = Limits::default();

        let second = crashed(&unit(1, 1), UnitStatus::Running, true, &limits, Epoch(3), NOW);
        let third = crashed(&unit(1, 2), UnitStatus::Running, true, &limits, Epoch(4), NOW);

        assert_eq!((second.to, second.crashes, second.attempts), (UnitStatus::Pending, 2, 0));
        assert_eq!(third.to, UnitStatus::Failed);
        assert_eq!(third.error(), Some("the manager died 3 times while this unit ran"));
    }

    #[test]
    fn a_unit_whose_old_process_lives_is_not_run_beside_it() {
        let change = crashed(&unit(1, 0), UnitStatus::Running, false, &Limits::default(), Epoch(2), NOW);

        assert_eq!(change.to, UnitStatus::Failed);
        assert!(change.error().unwrap().starts_with("needs attention"));
    }

    #[test]
    fn a_crash_before_the_start_was_committed_counts_the_same() {
        let change = crashed(&unit(0, 0), UnitStatus::Pending, true, &Limits::default(), Epoch(2), NOW);

        assert_eq!(
            (change.from, change.to, change.attempts, change.crashes),
            (UnitStatus::Pending, UnitStatus::Pending, 0, 1)
        );
    }
}
