//! What every store must do, whatever database lies below: one suite, run once for each way to open one.

mod changes;
mod each;
mod leases;
mod meters;
mod pages;
mod review;
mod steering;
mod words;

use changes::*;
use leases::*;
use meters::*;
use pages::*;
use review::*;
use steering::*;
use words::*;

use crate::model::{
    AttemptEnd, Cause, Contents, Epoch, JobFilter, JobId, JobStatus, Lack, NewJob, NewUnit, ProcessIdentity, Seq,
    Timestamp, UnitFilter, UnitId, UnitOutcome, UnitStatus,
};
use crate::store::{
    Batch, CreateOutcome, Lease, Leaving, PageBound, SameKey, Store, StoreError, UnitChange, UnitRange,
};

pub(super) const NOW: Timestamp = Timestamp::from_micros(1_000_000);
pub(super) const LATER: Timestamp = Timestamp::from_micros(2_000_000);

fn units(count: usize) -> Vec<NewUnit> {
    (1..=count).map(|number| NewUnit { payload: number.to_string(), key: None, group: None }).collect()
}

pub(super) fn job_of(store: &mut Store, count: usize) -> JobId {
    match store.create_job(&NewJob::new("job", "command"), &units(count), true, NOW).unwrap() {
        CreateOutcome::Created(job) => job,
        CreateOutcome::Existing(job) => panic!("job {job} was there"),
    }
}

pub(super) fn manager() -> ProcessIdentity {
    let boot_id = "00000000-0000-0000-0000-000000000001".to_owned();
    ProcessIdentity { pid: 7, start_ticks: 8, boot_id, host: "host".to_owned(), namespaces: None }
}

/// Joins a job in which nothing is left to end of the managers before.
pub(super) fn lease_on(store: &mut Store, job: JobId) -> Lease {
    let lease = store.join(job, &manager(), "program".as_ref(), NOW).unwrap().0;
    store.give_back_but(lease, &[]).unwrap();
    lease
}

/// Joins a job and claims all of its units.
pub(super) fn claimed_on(store: &mut Store, job: JobId) -> Lease {
    let lease = lease_on(store, job);
    store.claim(lease, 1000, Seq::MAX).unwrap();
    lease
}

pub(super) fn change(job: JobId, seq: i64, from: UnitStatus, to: UnitStatus) -> UnitChange {
    UnitChange {
        unit: UnitId::new(job, Seq(seq)),
        from,
        to,
        seen_attempts: u32::from(from == UnitStatus::Running),
        revision: 0,
        attempts: 1,
        crashes: 0,
        not_before: (to == UnitStatus::Pending).then_some(LATER),
        started_at: Some(NOW),
        slot: Some(1),
        ended_at: (to != UnitStatus::Running).then_some(NOW),
        epoch: Epoch(1),
        end: end(to),
    }
}

/// An end that brings a unit into that state.
pub(super) fn end(to: UnitStatus) -> Option<AttemptEnd> {
    let (error, reason) = (String::new(), String::new());
    let outcome = match to {
        UnitStatus::Running => return None,
        UnitStatus::Pending => UnitOutcome::NotStarted { lack: Lack::Memory, error },
        UnitStatus::Completed => UnitOutcome::Completed { result: None },
        UnitStatus::Failed => UnitOutcome::Failed { cause: Cause::Failed, error },
        UnitStatus::Skipped => UnitOutcome::Skipped { reason },
        UnitStatus::Cancelled => UnitOutcome::Cancelled { reason },
    };
    Some(AttemptEnd { exit_code: Some(0), ..outcome.into() })
}

/// The rows by status, counted one by one.
fn counted(store: &mut Store, job: JobId) -> Vec<i64> {
    let all = store.units(job, &UnitFilter::all(), None, 1000).unwrap();
    let of = |status| i64::try_from(all.iter().filter(|unit| unit.status == status).count()).unwrap();
    UnitStatus::ALL.iter().map(|status| of(*status)).collect()
}

fn counters(store: &mut Store, job: JobId) -> Vec<i64> {
    let p = store.job(job).unwrap().progress;
    assert_eq!(p.total, p.ended() + p.unfinished());
    vec![p.pending, p.running, p.completed, p.failed, p.skipped, p.cancelled]
}

pub fn a_new_job_has_its_units_pending_in_order(mut store: Store) {
    let job = job_of(&mut store, 3);

    let fresh = store.fresh_units(job, Seq(0), Seq::MAX, PageBound::units(10)).unwrap().units;

    assert_eq!(fresh.iter().map(|unit| unit.payload.as_str()).collect::<Vec<_>>(), ["1", "2", "3"]);
    assert_eq!(counters(&mut store, job), [3, 0, 0, 0, 0, 0]);
    assert_eq!(store.job(job).unwrap().status, JobStatus::Created);
}

pub fn waiting_units_are_read_from_behind_the_cursor(mut store: Store) {
    let job = job_of(&mut store, 4);

    let page = store.fresh_units(job, Seq(2), Seq::MAX, PageBound::units(10)).unwrap().units;

    assert_eq!(page.iter().map(|unit| unit.id.seq().0).collect::<Vec<_>>(), [3, 4]);
}

pub fn a_job_is_invisible_until_its_last_unit(mut store: Store) {
    let new = NewJob { key: Some("key".to_owned()), ..NewJob::new("job", "command") };
    let CreateOutcome::Created(job) = store.create_job(&new, &units(2), false, NOW).unwrap() else { panic!() };

    assert!(matches!(store.job(job), Err(StoreError::JobNotFound(_))));
    assert!(store.jobs(&JobFilter::default()).unwrap().jobs.is_empty());
    assert_eq!(store.partial_jobs().unwrap(), [job]);
    assert!(matches!(store.create_job(&new, &units(1), true, NOW), Err(StoreError::KeyInUse { .. })));
    store.append_units(job, &units(1), SameKey::Refuse).unwrap();
    store.finish_creation(job, &new, Contents::default()).unwrap();

    assert_eq!(store.job(job).unwrap().progress.total, 3);
    assert_eq!(store.create_job(&new, &units(9), true, NOW).unwrap(), CreateOutcome::Existing(job));
}

pub fn a_unit_key_names_one_unit(mut store: Store) {
    let job = job_of(&mut store, 1);
    let named = [NewUnit { payload: "1".to_owned(), key: Some("a".to_owned()), group: None }];
    store.append_units(job, &named, SameKey::Refuse).unwrap();

    let again = store.append_units(job, &named, SameKey::Refuse);

    assert_eq!(again.unwrap_err().to_string(), "units 2 and 3 have the same key \"a\": each key must be unique");
    assert_eq!(counters(&mut store, job), [2, 0, 0, 0, 0, 0]);
    let filter = UnitFilter { key: Some("a".to_owned()), ..UnitFilter::all() };
    assert_eq!(store.units(job, &filter, None, 10).unwrap()[0].seq, Seq(2));
}

pub fn counters_change_with_the_rows(mut store: Store) {
    let job = job_of(&mut store, 6);
    let lease = lease_on(&mut store, job);
    use UnitStatus::{Cancelled, Completed, Failed, Pending, Running, Skipped};

    store.claim(lease, 5, Seq(5)).unwrap();
    let starts: Vec<_> = (1..=5).map(|seq| change(job, seq, Pending, Running)).collect();
    store
        .record(lease, &Batch { rests: &[UnitRange { after: Seq(5), through: Seq::MAX }], ..Batch::of(&starts) })
        .unwrap();
    let ends = [Completed, Failed, Skipped, Cancelled, Pending];
    let ends: Vec<_> = (1..).zip(ends).map(|(seq, to)| change(job, seq, Running, to)).collect();
    store.record(lease, &Batch::of(&ends)).unwrap();

    let expected = counted(&mut store, job);
    assert_eq!(counters(&mut store, job), expected);
    assert_eq!(expected, [2, 0, 1, 1, 1, 1]);
    assert_eq!(store.claimed_through(job).unwrap(), Seq(5));
    assert_eq!(store.job_totals().unwrap().iter().map(|totals| totals.units.total).sum::<i64>(), 6);
}

pub fn a_unit_in_another_state_is_left_alone(mut store: Store) {
    let job = job_of(&mut store, 2);
    let lease = lease_on(&mut store, job);
    let complete = change(job, 1, UnitStatus::Pending, UnitStatus::Completed);
    store.record(lease, &Batch::of(std::slice::from_ref(&complete))).unwrap();

    let fail = change(job, 1, UnitStatus::Running, UnitStatus::Failed);
    let recorded = store.record(lease, &Batch::of(&[complete, fail])).unwrap();

    assert_eq!(recorded.lost.len(), 2);
    assert_eq!(counters(&mut store, job), [1, 0, 1, 0, 0, 0]);
}

pub fn a_unit_with_another_count_of_attempts_is_left_alone(mut store: Store) {
    let job = job_of(&mut store, 1);
    let lease = claimed_on(&mut store, job);
    use UnitStatus::{Completed, Pending, Running};
    let came_back = change(job, 1, Pending, Pending);
    store.record(lease, &Batch::of(std::slice::from_ref(&came_back))).unwrap();

    // Both believe that its first attempt has yet to come.
    let changes = [change(job, 1, Pending, Running), change(job, 1, Pending, Completed)];
    let recorded = store.record(lease, &Batch::of(&changes)).unwrap();

    assert_eq!(recorded.lost.len(), 2);
    assert_eq!(counters(&mut store, job), [1, 0, 0, 0, 0, 0]);
    assert_eq!(store.due_units(lease, LATER, Seq::MAX, PageBound::units(9)).unwrap().units[0].attempts, 1);
}

pub fn an_ended_job_stays_as_it_ended(mut store: Store) {
    let job = job_of(&mut store, 1);
    let lease = lease_on(&mut store, job);
    store.record(lease, &Batch::of(&[change(job, 1, UnitStatus::Pending, UnitStatus::Completed)])).unwrap();
    store.finish(lease, LATER, |_| None).unwrap();

    assert!(store.leave(lease, Leaving::Stopped, LATER).is_err());
    assert!(store.leave(lease, Leaving::Failed { error: "", trace: "" }, LATER).is_err());
    assert!(store.leave(lease, Leaving::Cancelled, LATER).is_err());

    assert_eq!(store.job(job).unwrap().status, JobStatus::Completed);
}

pub fn units_that_came_back_are_due_in_order_of_their_time(mut store: Store) {
    let job = job_of(&mut store, 3);
    let lease = claimed_on(&mut store, job);
    let back =
        |seq, at| UnitChange { not_before: Some(at), ..change(job, seq, UnitStatus::Pending, UnitStatus::Pending) };
    store.record(lease, &Batch::of(&[back(1, LATER), back(2, NOW)])).unwrap();

    let due = |store: &mut Store, now| -> Vec<i64> {
        store
            .due_units(lease, now, Seq::MAX, PageBound::units(10))
            .unwrap()
            .units
            .iter()
            .map(|unit| unit.id.seq().0)
            .collect()
    };

    assert_eq!(due(&mut store, NOW), [2]);
    assert_eq!(due(&mut store, LATER), [2, 1]);
    assert_eq!(store.next_due(lease, Seq::MAX).unwrap(), Some(NOW));
    assert_eq!(
        store.due_units(lease, LATER, Seq(1), PageBound::units(10)).unwrap().units.len(),
        1,
        "a unit beyond the first ones"
    );
    assert_eq!(store.next_due(lease, Seq(1)).unwrap(), Some(LATER));
    assert_eq!(
        store.fresh_units(job, Seq(0), Seq::MAX, PageBound::units(10)).unwrap().units.len(),
        1,
        "a unit that came back is not fresh"
    );
}

pub fn the_final_state_follows_from_the_units(mut store: Store) {
    use UnitStatus::{Completed, Failed, Pending};
    for (ends, expected) in [
        (vec![Completed, Completed], Some(JobStatus::Completed)),
        (vec![Completed, Failed], Some(JobStatus::Failed)),
        (vec![Completed], None),
    ] {
        let job = job_of(&mut store, 2);
        let lease = lease_on(&mut store, job);
        let ends: Vec<_> = (1..).zip(ends).map(|(seq, to)| change(job, seq, Pending, to)).collect();
        store.record(lease, &Batch::of(&ends)).unwrap();

        assert_eq!(store.finish(lease, LATER, |_| None).unwrap(), expected);
        assert_eq!(store.job(job).unwrap().finished_at, expected.map(|_| LATER));
    }
}
