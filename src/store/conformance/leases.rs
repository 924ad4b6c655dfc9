//! What a lease is worth, and how long.

use super::{LATER, NOW, change, counters, job_of, lease_on, manager};
use crate::model::{Reach, Seq, StopRequest, UnitStatus};
use crate::store::{Access, Batch, Leaving, PageBound, Store, StoreError, UnitRange};

pub fn fault_73_a_manager_whose_epoch_is_over_writes_nothing(mut store: Store) {
    let job = job_of(&mut store, 1);
    let old = lease_on(&mut store, job);
    let new = lease_on(&mut store, job);
    let complete = [change(job, 1, UnitStatus::Pending, UnitStatus::Completed)];

    assert!(matches!(store.record(old, &Batch::of(&complete)), Err(StoreError::Fenced { .. })));
    assert!(matches!(store.leave(old, Leaving::Stopped, LATER), Err(StoreError::Fenced { .. })));
    assert!(matches!(store.leave(old, Leaving::Failed { error: "", trace: "" }, NOW), Err(StoreError::Fenced { .. })));
    assert!(matches!(store.leave(old, Leaving::Cancelled, NOW), Err(StoreError::Fenced { .. })));
    assert_eq!(counters(&mut store, job), [1, 0, 0, 0, 0, 0]);

    assert_eq!(new.epoch.0, old.epoch.0 + 1);
    assert!(store.record(new, &Batch::of(&complete)).unwrap().lost.is_empty());
}

pub fn a_claim_begins_behind_what_no_manager_has_to_look_at_again(mut store: Store) {
    let job = job_of(&mut store, 3);
    let before = lease_on(&mut store, job);
    let whole = store.claim(before, 1000, Seq::MAX).unwrap().unwrap().range;
    let ended = [1, 2].map(|seq| change(job, seq, UnitStatus::Pending, UnitStatus::Completed));
    let rests = &[UnitRange { after: Seq(2), ..whole }];
    store.record(before, &Batch { rests, ..Batch::of(&ended) }).unwrap();
    let now = lease_on(&mut store, job);

    let rest = store.claim(now, 1000, Seq::MAX).unwrap().unwrap().range;

    let read = store.fresh_units(job, rest.after, rest.through, PageBound::units(9)).unwrap().units;
    assert_eq!((whole.after, read.len(), read[0].id.seq()), (Seq(0), 1, Seq(3)));
    assert!(matches!(store.claim(before, 1000, Seq::MAX), Err(StoreError::Fenced { .. })));
}

pub fn whoever_takes_over_writes_in_the_place_of_those_that_are_gone(mut store: Store) {
    use UnitStatus::{Pending, Running};
    let job = job_of(&mut store, 1);
    let gone = lease_on(&mut store, job);
    store.claim(gone, 1000, Seq::MAX).unwrap();
    store.record(gone, &Batch::of(&[change(job, 1, Pending, Running)])).unwrap();

    let lease = store.take_over(job, &manager()).unwrap();

    let back = [change(job, 1, Running, Pending)];
    assert!(matches!(store.record(gone, &Batch::of(&back)), Err(StoreError::Fenced { .. })));
    assert_eq!(store.running_units(lease).unwrap().len(), 1);
    assert!(store.record(lease, &Batch::of(&back)).unwrap().lost.is_empty());
    assert_eq!(counters(&mut store, job), [1, 0, 0, 0, 0, 0]);
}

pub fn a_fence_tells_what_others_have_written_and_nothing_else(mut store: Store) {
    let job = job_of(&mut store, 1);
    let lease = lease_on(&mut store, job);
    let mut client = Store::open(store.path(), Access::Write).unwrap();
    let first = store.fence(lease, None, &Reach::All).unwrap();
    store.record(lease, &Batch::of(&[change(job, 1, UnitStatus::Pending, UnitStatus::Completed)])).unwrap();

    let own = store.fence(lease, Some(first.version), &Reach::All).unwrap();
    client.request_stop(job, StopRequest::Stop, None, None).unwrap();
    let others = store.fence(lease, Some(own.version), &Reach::All).unwrap();
    lease_on(&mut client, job);
    let over = store.fence(lease, Some(others.version), &Reach::All);

    assert!(first.job.is_some());
    // On a server what one writes oneself is told too.
    assert!(own.job.is_none_or(|job| job.stop_request.is_none()));
    assert_eq!(others.job.map(|job| job.stop_request), Some(Some(StopRequest::Stop)));
    assert!(matches!(over, Err(StoreError::Fenced { .. })), "{over:?}");
}
