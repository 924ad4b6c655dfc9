//! Tests of the coordinator, over a database in memory or on disk.

use super::*;
use crate::handler::Attempt;
use crate::manager::Clock;
use crate::model::Seq;
use crate::model::{AttemptEnd, JobId, NewJob, NewUnit, Progress, Unit, UnitFilter, UnitOutcome};
use crate::store::UnitRange;
use crate::store::{Access, CreateOutcome};
use crate::sys::own_identity;

/// Runs nothing, and ends a job with one more unit.
struct OneMore;

impl Runner for OneMore {
    fn run(&self, _: &Attempt<'_>) -> AttemptEnd {
        UnitOutcome::Completed { result: None }.into()
    }

    fn finalizer(&self, _: &Progress) -> Option<NewUnit> {
        Some(NewUnit { payload: "0".to_owned(), key: Some(Unit::FINALIZER_KEY.to_owned()), group: None })
    }
}

fn lease_on(store: &mut Store, job: JobId) -> (Lease, Job) {
    store.join(job, &own_identity().unwrap(), "program".as_ref(), Timestamp::now()).unwrap()
}

fn job_of(store: &mut Store, count: usize) -> JobId {
    let units: Vec<NewUnit> = (1..=count).map(|number| NewUnit::new(&number).unwrap()).collect();
    match store.create_job(&NewJob::new("job", "x"), &units, true, Timestamp::now()).unwrap() {
        CreateOutcome::Created(job) => job,
        CreateOutcome::Existing(job) => panic!("job {job} was there"),
    }
}

#[test]
fn only_units_behind_the_cursor_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(&dir.path().join("jobs.db"), Access::Create).unwrap();
    let job = job_of(&mut store, 5);
    let (lease, job) = lease_on(&mut store, job);
    let shared = Shared::new(Clock::Wall, job.limits.clone());
    shared.feed.add(UnitRange { after: Seq(3), through: Seq::MAX });
    let flags = StopFlags::default();

    Coordinator::new(&mut store, &job, lease, &OneMore, std::sync::mpsc::channel().0, &shared, &flags)
        .unwrap()
        .refill()
        .unwrap();

    assert_eq!(shared.feed.level().queued, 2);
    assert_eq!(shared.feed.take(0).unwrap().id.seq(), Seq(4));
}

#[test]
fn nobody_has_to_approve_the_last_unit_whatever_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("jobs.db");
    let mut store = Store::open(&path, Access::Create).unwrap();
    let job = job_of(&mut store, 2);
    store.change_limits(job, |limits| limits.canary = Some(2)).unwrap();
    store.skip_units(job, &UnitFilter::all(), "done", Timestamp::now()).unwrap();
    let (lease, job) = lease_on(&mut store, job);
    let shared = Shared::new(Clock::Wall, job.limits.clone());
    let flags = StopFlags::default();
    let grow = std::sync::mpsc::channel().0;
    let mut coordinator = Coordinator::new(&mut store, &job, lease, &OneMore, grow, &shared, &flags).unwrap();

    assert_eq!(coordinator.finish().unwrap(), None);
    // Somebody commits, and the job is read again with the limits that it has there.
    Store::open(&path, Access::Write).unwrap().change_limits(job.id, |_| ()).unwrap();
    coordinator.looked_at = coordinator.looked_at.checked_sub(POLL_REQUESTS).unwrap();
    coordinator.poll_requests().unwrap();
    coordinator.refill().unwrap();

    assert_eq!((shared.feed.level().queued, shared.feed.cursor()), (1, Seq(3)));

    // It died before any worker took the last unit.
    let (lease, job) = lease_on(&mut store, job.id);
    let shared = Shared::new(Clock::Wall, job.limits.clone());
    let grow = std::sync::mpsc::channel().0;
    let mut next = Coordinator::new(&mut store, &job, lease, &OneMore, grow, &shared, &flags).unwrap();
    next.refill().unwrap();
    assert_eq!(shared.feed.level().queued, 1);
}

#[test]
fn a_superseded_manager_notices_it_without_a_write_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("jobs.db");
    let mut store = Store::open(&path, Access::Create).unwrap();
    let job = job_of(&mut store, 1);
    let (lease, job) = lease_on(&mut store, job);
    let shared = Shared::new(Clock::Wall, job.limits.clone());
    let flags = StopFlags::default();
    let mut coordinator =
        Coordinator::new(&mut store, &job, lease, &OneMore, std::sync::mpsc::channel().0, &shared, &flags).unwrap();

    lease_on(&mut Store::open(&path, Access::Write).unwrap(), job.id);
    coordinator.looked_at -= POLL_REQUESTS;

    assert!(coordinator.poll_requests().is_err_and(|error| error.is_fenced()));
}

#[test]
fn a_step_of_the_clock_that_could_not_be_recorded_is_followed_at_the_next_look() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(&dir.path().join("jobs.db"), Access::Create).unwrap();
    let job = job_of(&mut store, 1);
    let (lease, job) = lease_on(&mut store, job);
    lease_on(&mut store, job.id);
    let shared = Shared::new(Clock::Wall, job.limits.clone());
    let flags = StopFlags::default();
    let mut coordinator =
        Coordinator::new(&mut store, &job, lease, &OneMore, std::sync::mpsc::channel().0, &shared, &flags).unwrap();
    coordinator.clock_seen = (Timestamp::now() + Duration::from_secs(3600), Instant::now());

    let refused = [(); 2].map(|()| coordinator.follow_clock(Timestamp::now()).is_err());

    assert_eq!(refused, [true; 2]);
}
