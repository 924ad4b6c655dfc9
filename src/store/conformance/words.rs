//! What every store must do with texts that a database may not be able to hold.

use super::{LATER, NOW, change, claimed_on, job_of};
use crate::model::{
    AttemptEnd, Cause, JobFilter, JobStatus, Seq, StopRequest, UnitFilter, UnitId, UnitNotes, UnitOutcome, UnitStatus,
};
use crate::store::{Batch, Leaving, Store, UnitChange};

/// A server has no text with NUL in it; a file has.
fn is_marked(text: &str) -> bool {
    text == "a\u{fffd}b" || text == "a\0b"
}

pub fn fault_352_a_text_with_nul_is_written_wherever_a_handler_or_a_client_may_say_one(mut store: Store) {
    use UnitStatus::{Pending, Running};
    const SAID: &str = "a\0b";
    let job = job_of(&mut store, 4);
    let lease = claimed_on(&mut store, job);
    let ended = |seq, to, outcome: UnitOutcome| UnitChange {
        end: Some(AttemptEnd { exit_code: Some(1), ..outcome.into() }),
        ..change(job, seq, Running, to)
    };
    let notes = UnitNotes { message: Some(SAID.to_owned()), ..UnitNotes::default() };
    let changes = [
        change(job, 1, Pending, Running),
        ended(1, UnitStatus::Failed, UnitOutcome::Failed { cause: Cause::Failed, error: SAID.to_owned() }),
        change(job, 2, Pending, Running),
        ended(2, UnitStatus::Skipped, UnitOutcome::Skipped { reason: SAID.to_owned() }),
        change(job, 3, Pending, Running),
        ended(3, Pending, UnitOutcome::PauseJob { delay: LATER.since(NOW), reason: SAID.to_owned() }),
    ];

    store.record(lease, &Batch { notes: &[(UnitId::new(job, Seq(1)), 0, notes)], ..Batch::of(&changes) }).unwrap();
    store.put_callback_error(lease, SAID).unwrap();
    store.cancel_pending_units(job, &UnitFilter::one(Seq(4)), SAID, NOW).unwrap();
    let hold = store.job(job).unwrap().hold.unwrap();
    store.request_stop(job, StopRequest::Cancel, None, Some(SAID)).unwrap();
    let left = store.leave(lease, Leaving::Halted { status: JobStatus::Paused, reason: SAID }, NOW).unwrap();

    let units = store.units(job, &UnitFilter::all(), None, 9).unwrap();
    let errors: Vec<_> = units.iter().map(|unit| unit.error.as_deref().unwrap_or_default()).collect();
    assert!(errors.iter().all(|error| is_marked(error)), "{errors:?}");
    let attempts = store.attempts(UnitId::new(job, Seq(1))).unwrap();
    assert!(is_marked(&attempts[0].error), "{attempts:?}");
    let notes = store.unit_notes(UnitId::new(job, Seq(1))).unwrap();
    assert!(is_marked(&notes.message.unwrap()));
    assert!(is_marked(&hold.reason));
    assert_eq!(left, JobStatus::Cancelled);
}

pub fn fault_352_a_text_with_nul_is_looked_for_and_found_nowhere(mut store: Store) {
    const SOUGHT: &str = "a\0b";
    let job = job_of(&mut store, 1);
    let labelled = |name: &str, value: &str| JobFilter {
        label: Some((name.to_owned(), value.to_owned())),
        ..JobFilter::default()
    };
    let by_key = JobFilter { key: Some(SOUGHT.to_owned()), ..JobFilter::default() };
    let of_key = UnitFilter { key: Some(SOUGHT.to_owned()), ..UnitFilter::all() };

    assert_eq!(store.newest_job_named(SOUGHT).unwrap(), None);
    assert_eq!(store.job_of_key(SOUGHT).unwrap(), None);
    assert_eq!(store.jobs_by_uid_prefix(SOUGHT).unwrap(), []);
    for filter in [labelled(SOUGHT, ""), labelled("team", SOUGHT), by_key] {
        assert!(store.jobs(&filter).unwrap().jobs.is_empty(), "{filter:?}");
    }
    assert!(store.units(job, &of_key, None, 9).unwrap().is_empty());
    assert_eq!(store.skip_units(job, &of_key, "", NOW).unwrap(), 0);
}
