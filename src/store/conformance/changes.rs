//! What every store must do when a job or a unit changes between the moment somebody reads it and the moment they act on it.

use super::{LATER, NOW, change, claimed_on, counted, counters, job_of, lease_on, units};
use crate::model::{Contents, JobStatus, NewJob, NewUnit, Seq, StopRequest, UnitFilter, UnitId, UnitNotes, UnitStatus};
use crate::store::{Batch, CreateOutcome, Leaving, PageBound, SameKey, Store, StoreError, UnitChange};

pub fn fault_130_a_sweep_deletes_no_unit_of_a_job_whose_creation_has_ended(mut store: Store) {
    let new = NewJob::new("job", "command");
    let CreateOutcome::Created(job) = store.create_job(&new, &units(2), false, NOW).unwrap() else { panic!() };
    let leftovers = store.partial_jobs().unwrap();
    store.finish_creation(job, &new, Contents::default()).unwrap();

    store.sweep_jobs(&leftovers).unwrap();

    assert_eq!(counted(&mut store, job), counters(&mut store, job));
    assert_eq!(counters(&mut store, job)[0], 2);
}

pub fn fault_130_nothing_is_added_to_a_job_that_is_being_deleted(mut store: Store) {
    let new = NewJob::new("job", "command");
    let CreateOutcome::Created(job) = store.create_job(&new, &units(2), false, NOW).unwrap() else { panic!() };

    let added = store.append_units(job, &units(1), SameKey::LeaveOut);

    assert!(matches!(added, Err(StoreError::JobNotFound(_))));
    store.sweep_jobs(&[job]).unwrap();
    assert!(store.units(job, &UnitFilter::all(), None, 9).unwrap().is_empty());
}

pub fn fault_131_nothing_is_recorded_of_a_unit_that_was_skipped_and_renewed_since_it_was_read(mut store: Store) {
    use UnitStatus::{Completed, Pending, Running};
    let job = job_of(&mut store, 2);
    let lease = claimed_on(&mut store, job);
    let renewed = |seq| (Seq(seq), NewUnit { payload: "\"new\"".to_owned(), key: None, group: None });
    store.skip_units(job, &UnitFilter::all(), "old", NOW).unwrap();
    store.renew_units(job, &[renewed(1), renewed(2)], NOW).unwrap();

    let said = (UnitId::new(job, Seq(1)), 0, UnitNotes { checkpoint: Some("1".to_owned()), ..UnitNotes::default() });
    let changes = [change(job, 1, Pending, Running), change(job, 2, Pending, Completed)];
    let recorded = store.record(lease, &Batch { notes: &[said], ..Batch::of(&changes) }).unwrap();

    assert_eq!(recorded.lost, [1, 2, 1].map(|seq| UnitId::new(job, Seq(seq))));
    assert_eq!(counters(&mut store, job), [2, 0, 0, 0, 0, 0]);
    assert_eq!(store.unit_notes(UnitId::new(job, Seq(1))).unwrap(), UnitNotes::default());
    let due = store.due_units(lease, NOW, Seq::MAX, PageBound::units(9)).unwrap().units;
    let now: Vec<_> = due
        .iter()
        .map(|unit| UnitChange { revision: unit.revision, ..change(job, unit.id.seq().0, Pending, Running) })
        .collect();
    assert!(store.record(lease, &Batch::of(&now)).unwrap().lost.is_empty());
}

pub fn fault_132_a_cancel_that_comes_while_the_job_is_paused_is_not_forgotten(mut store: Store) {
    for halts in [true, false] {
        let job = job_of(&mut store, 2);
        let lease = lease_on(&mut store, job);
        store.request_stop(job, StopRequest::Stop, None, None).unwrap();
        store.request_stop(job, StopRequest::Cancel, None, Some("enough")).unwrap();

        let status = match halts {
            true => store.leave(lease, Leaving::Halted { status: JobStatus::AwaitingApproval, reason: "look" }, LATER),
            false => store.leave(lease, Leaving::Stopped, LATER),
        };

        assert_eq!(status.unwrap(), JobStatus::Cancelled);
        assert_eq!(counters(&mut store, job), [0, 0, 0, 0, 0, 2]);
        assert_eq!(store.units(job, &UnitFilter::all(), None, 9).unwrap()[0].error.as_deref(), Some("enough"));
    }
}

pub fn fault_132_why_a_job_was_paused_is_forgotten_when_a_client_gives_it_another_state(mut store: Store) {
    let job = job_of(&mut store, 1);
    let lease = lease_on(&mut store, job);
    store.leave(lease, Leaving::Halted { status: JobStatus::AwaitingApproval, reason: "look at it" }, NOW).unwrap();
    assert!(store.manager_record(job).unwrap().unwrap().halt_reason.is_some());

    store.cancel_idle_job(job, "no", NOW).unwrap();
    store.retry_units(job, &UnitFilter::all(), NOW).unwrap();

    assert_eq!(store.job(job).unwrap().status, JobStatus::Paused);
    let record = store.manager_record(job).unwrap().unwrap();
    assert_eq!((record.halt_reason, record.stopped_by_signal), (None, false));
}

pub fn fault_296_a_request_that_came_since_the_job_was_read_is_not_withdrawn(mut store: Store) {
    let job = job_of(&mut store, 1);
    lease_on(&mut store, job);
    store.request_stop(job, StopRequest::Stop, None, None).unwrap();
    let read = store.job(job).unwrap();
    store.request_stop(job, StopRequest::Cancel, None, Some("enough")).unwrap();

    store.withdraw_stop_request(&read).unwrap();
    let after_it = store.job(job).unwrap();
    store.withdraw_stop_request(&after_it).unwrap();

    assert_eq!(after_it.stop_request, Some(StopRequest::Cancel));
    assert_eq!(store.job(job).unwrap().stop_request, None);
}
