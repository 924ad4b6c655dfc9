//! What each end of an attempt means for its unit.

use super::*;
use crate::model::{JobId, PastAttempt, Postponed};

const NOW: Timestamp = Timestamp::from_micros(1_000_000);
const SPAN: Span = Span { started_at: Timestamp::from_micros(1), ended_at: NOW, slot: Some(1) };

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

    let past = |number| PastAttempt { number, cause: Cause::Postponed, started_at: None, ended_at: SPAN.started_at };
    let after = |times| Unit { postponed: Postponed::of(vec![past(1); times]), ..unit(0, 0) };
    let delays: Vec<_> = (0..20).map(|times| of(&after(times), When::Backoff, &limits).not_before.unwrap()).collect();
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
