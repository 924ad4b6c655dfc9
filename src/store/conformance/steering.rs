//! What every store must do for whoever steers a job: requests, retries, cancels, deletion.

use std::time::Duration;

use super::{LATER, NOW, change, claimed_on, counters, job_of, lease_on, manager};
use crate::model::{
    AttemptEnd, Cause, HoldScope, JobStatus, Output, Postponement, Seq, StopRequest, UnitFilter, UnitId, UnitOutcome,
    UnitStatus, When,
};
use crate::store::{Batch, Leaving, PageBound, Store, StoreError, UnitChange};

pub fn a_request_reaches_the_manager_and_is_never_weakened(mut store: Store) {
    let job = job_of(&mut store, 1);
    assert!(!store.request_stop(job, StopRequest::Stop, None, None).unwrap(), "nobody runs it");
    let lease = lease_on(&mut store, job);
    let before = store.job(job).unwrap().revision;

    assert!(store.request_stop(job, StopRequest::Cancel, None, None).unwrap());
    assert!(store.request_stop(job, StopRequest::Stop, None, None).unwrap());

    let row = store.job(job).unwrap();
    assert_eq!(row.stop_request, Some(StopRequest::Cancel));
    assert!(row.revision > before);
    // The request came after the manager had looked for the last time.
    assert_eq!(store.leave(lease, Leaving::Stopped, LATER).unwrap(), JobStatus::Cancelled);
    assert_eq!(store.job(job).unwrap().stop_request, None);
}

pub fn retried_units_reopen_the_job_with_all_their_attempts(mut store: Store) {
    let job = job_of(&mut store, 2);
    let lease = claimed_on(&mut store, job);
    use UnitStatus::{Completed, Failed, Pending};
    store.record(lease, &Batch::of(&[change(job, 1, Pending, Completed), change(job, 2, Pending, Failed)])).unwrap();
    store.finish(lease, LATER, |_| None).unwrap();
    assert!(matches!(store.join(job, &manager(), "program".as_ref(), NOW), Err(StoreError::WrongStatus { .. })));

    assert_eq!(store.retry_units(job, &UnitFilter::all(), LATER).unwrap(), 1);
    assert_eq!(store.retry_units(job, &UnitFilter::all(), LATER).unwrap(), 0);

    assert_eq!(store.job(job).unwrap().status, JobStatus::Paused);
    assert_eq!(counters(&mut store, job), [1, 0, 1, 0, 0, 0]);
    let lease = claimed_on(&mut store, job);
    assert_eq!(store.due_units(lease, LATER, Seq::MAX, PageBound::units(9)).unwrap().units[0].attempts, 0);
}

pub fn units_wait_no_longer_than_they_may_or_somebody_wants(mut store: Store) {
    let (job, second) = (job_of(&mut store, 2), Duration::from_secs(1));
    let lease = claimed_on(&mut store, job);
    let until = NOW + second * 3600;
    let later = Postponement { hold: HoldScope::Job, ..Postponement::new(When::Until(until), "limit".to_owned()) };
    let end = Some(AttemptEnd::from(UnitOutcome::Later(later)));
    let (started_at, ended_at, not_before) = (Some(NOW), Some(NOW), Some(until));
    let back = change(job, 1, UnitStatus::Pending, UnitStatus::Pending);
    let back = UnitChange { started_at, ended_at, not_before, end, attempts: 0, ..back };
    store.record(lease, &Batch::of(std::slice::from_ref(&back))).unwrap();
    assert!(store.job(job).unwrap().hold.is_some());
    let revision = |store: &mut Store| store.job(job).unwrap().revision;
    let before = revision(&mut store);

    assert!(store.lift_hold(job, NOW).unwrap() && !store.lift_hold(job, NOW).unwrap());
    assert_eq!(store.job(job).unwrap().hold, None);
    assert_eq!(store.bound_waits(job, Seq(0), second * 60, NOW).unwrap(), None);
    assert_eq!(store.next_due(lease, Seq::MAX).unwrap(), Some(NOW + second * 60));
    let bounded = revision(&mut store);
    assert_eq!(store.retry_units(job, &UnitFilter::all(), NOW).unwrap(), 0);
    assert_eq!(store.retry_units(job, &UnitFilter::with_status(UnitStatus::Pending), NOW).unwrap(), 1);
    assert_eq!(store.retry_units(job, &UnitFilter::with_status(UnitStatus::Pending), NOW).unwrap(), 0);

    assert_eq!(store.next_due(lease, Seq::MAX).unwrap(), Some(NOW));
    assert_eq!(counters(&mut store, job), [2, 0, 0, 0, 0, 0]);
    assert!(before < bounded && bounded < revision(&mut store), "its manager looks for them");
    assert_eq!(store.attempts_span(UnitId::new(job, Seq(1))).unwrap(), Some((NOW, NOW)));
    assert_eq!(store.attempts_span(UnitId::new(job, Seq(2))).unwrap(), None);
}

pub fn a_job_whose_failures_are_skipped_is_completed(mut store: Store) {
    let job = job_of(&mut store, 3);
    let lease = lease_on(&mut store, job);
    use UnitStatus::{Completed, Failed, Pending};
    let ends = [(1, Completed), (2, Failed), (3, Failed)].map(|(seq, to)| change(job, seq, Pending, to));
    store.record(lease, &Batch::of(&ends)).unwrap();
    store.finish(lease, NOW, |_| None).unwrap();
    let before = store.job(job).unwrap().revision;

    assert_eq!(store.skip_units(job, &UnitFilter::one(Seq(2)), "no need", LATER).unwrap(), 1);
    assert_eq!(store.job(job).unwrap().status, JobStatus::Failed);
    assert_eq!(store.skip_units(job, &UnitFilter::all(), "no need", LATER).unwrap(), 1);
    assert_eq!(store.skip_units(job, &UnitFilter::all(), "no need", LATER).unwrap(), 0);

    let row = store.job(job).unwrap();
    assert_eq!((row.status, row.finished_at), (JobStatus::Completed, Some(LATER)));
    assert!(row.revision > before);
    assert_eq!(counters(&mut store, job), [0, 0, 1, 0, 2, 0]);
    assert_eq!(store.units(job, &UnitFilter::one(Seq(3)), None, 1).unwrap()[0].error.as_deref(), Some("no need"));
}

pub fn cancelling_an_idle_job_ends_all_that_had_not_ended(mut store: Store) {
    let job = job_of(&mut store, 3);
    let lease = lease_on(&mut store, job);
    use UnitStatus::{Completed, Pending, Running};
    store.record(lease, &Batch::of(&[change(job, 1, Pending, Completed), change(job, 2, Pending, Running)])).unwrap();

    // Its manager is gone.
    store.take_over(job, &manager()).unwrap();
    store.cancel_idle_job(job, "no need", LATER).unwrap();

    assert_eq!(counters(&mut store, job), [0, 0, 1, 0, 0, 2]);
    assert_eq!(store.job(job).unwrap().status, JobStatus::Cancelled);
    assert!(matches!(store.cancel_idle_job(job, "no need", LATER), Err(StoreError::WrongStatus { .. })));
}

pub fn an_attempt_that_did_not_complete_is_kept(mut store: Store) {
    let job = job_of(&mut store, 1);
    let lease = lease_on(&mut store, job);
    let end = AttemptEnd {
        outcome: UnitOutcome::Failed { cause: Cause::Killed, error: "killed".to_owned() },
        exit_code: None,
        signal: Some(9),
        output: Output { stdout: Some("out".into()), stderr: None },
        resources: None,
        metered: Vec::new(),
        flag: None,
    };
    let failed = UnitChange { end: Some(end), ..change(job, 1, UnitStatus::Pending, UnitStatus::Failed) };

    store.record(lease, &Batch::of(&[failed])).unwrap();

    let kept = store.attempts(UnitId::new(job, Seq(1))).unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(
        (kept[0].cause, kept[0].signal, kept[0].output.stdout.clone()),
        (Cause::Killed, Some(9), Some("out".into()))
    );
}

pub fn a_deleted_job_leaves_nothing(mut store: Store) {
    let job = job_of(&mut store, 3);
    let other = job_of(&mut store, 2);

    assert_eq!(store.delete_jobs(&[job, other], |row| row.unwrap().progress.total == 9).unwrap(), []);
    assert_eq!(store.delete_jobs(&[other, job], |row| row.unwrap().progress.total == 3).unwrap(), [job]);

    assert!(matches!(store.job(job), Err(StoreError::JobNotFound(_))));
    assert!(store.units(job, &UnitFilter::all(), None, 9).unwrap().is_empty());
    assert_eq!(counters(&mut store, other), [2, 0, 0, 0, 0, 0]);
    assert!(job_of(&mut store, 1) > other, "a number was given out twice");
}
