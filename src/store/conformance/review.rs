//! What every store must do with units that somebody doubts.

use super::{LATER, NOW, change, claimed_on, counters, job_of};
use crate::model::{
    AttemptEnd, Decision, Flagged, JobStatus, NewUnit, Outdated, Seq, UnitFilter, UnitId, UnitOutcome, UnitStatus,
};
use crate::store::{Batch, FlagRefused, Store, StoreError, UnitChange, Verdict};

const BY: Verdict<'_> = Verdict { by: "ann", note: Some("say it exactly"), at: LATER };

/// A unit that completes at its first attempt, with a doubt.
fn doubtful(change: UnitChange) -> UnitChange {
    let outcome = UnitOutcome::Completed { result: Some("1".to_owned()) };
    UnitChange { end: Some(AttemptEnd { flag: Some("odd".to_owned()), ..outcome.into() }), ..change }
}

fn numbers(store: &mut Store, job: crate::model::JobId, flagged: Flagged) -> Vec<i64> {
    let filter = UnitFilter { flagged: Some(flagged), ..UnitFilter::all() };
    store.units(job, &filter, None, 9).unwrap().iter().map(|unit| unit.seq.0).collect()
}

pub fn a_decision_is_one_row_and_the_first_one_holds(mut store: Store) {
    use UnitStatus::{Completed, Pending};
    let job = job_of(&mut store, 3);
    let lease = claimed_on(&mut store, job);
    let changes = [1, 2, 3].map(|seq| change(job, seq, Pending, Completed));
    let changes = changes.map(|change| if change.unit.seq() == Seq(3) { change } else { doubtful(change) });
    store.record(lease, &Batch::of(&changes)).unwrap();
    assert_eq!((store.undecided(job).unwrap(), numbers(&mut store, job, Flagged::Undecided)), (2, vec![1, 2]));

    store.accept_units(job, &[Seq(1)], BY).unwrap();
    let refused = store.accept_units(job, &[Seq(2), Seq(1)], BY).unwrap_err();

    assert!(
        matches!(&refused, StoreError::FlagRefused(FlagRefused::Decided { seq: Seq(1), by, .. }) if by == "ann"),
        "{refused:?}"
    );
    let flag = store.flag(UnitId::new(job, Seq(1))).unwrap().unwrap();
    assert_eq!(
        (flag.decision, flag.decided_at, flag.note.as_deref()),
        (Some(Decision::Accepted), Some(LATER), BY.note)
    );
    // Nothing of the refused call was kept.
    assert_eq!((store.undecided(job).unwrap(), numbers(&mut store, job, Flagged::NotUndecided)), (1, vec![1, 3]));
    assert_eq!(numbers(&mut store, job, Flagged::Any), [1, 2]);
}

pub fn a_unit_that_is_done_again_is_replaced_and_the_next_knows_why(mut store: Store) {
    use UnitStatus::{Completed, Pending};
    let job = job_of(&mut store, 1);
    store.append_units(job, &[NewUnit::new("x").unwrap().with_key("k")], crate::store::SameKey::Refuse).unwrap();
    let lease = claimed_on(&mut store, job);
    store.record(lease, &Batch::of(&[1, 2].map(|seq| doubtful(change(job, seq, Pending, Completed))))).unwrap();
    store.finish(lease, NOW, |_| None).unwrap();

    let made = store.redo_units(job, &[Seq(2)], BY, None).unwrap();

    assert_eq!((made, store.job(job).unwrap().status), (vec![Seq(3)], JobStatus::Paused));
    assert_eq!(counters(&mut store, job), [1, 0, 2, 0, 0, 0]);
    let all = store.units(job, &UnitFilter::all(), None, 9).unwrap();
    let rows: Vec<_> = all.iter().map(|unit| (unit.status, unit.key.as_deref(), unit.outdated)).collect();
    let replaced = Some(Outdated::Replaced);
    assert_eq!(rows, [(Completed, None, None), (Completed, None, replaced), (Pending, Some("k"), None)]);
    assert_eq!(store.last_attempt(UnitId::new(job, Seq(3))).unwrap().unwrap().error, "say it exactly");
    assert_eq!(store.undecided(job).unwrap(), 1);
    // It is there to be run.
    let lease = claimed_on(&mut store, job);
    store.claim(lease, 1000, Seq::MAX).unwrap();
    let due = store.due_units(lease, LATER, Seq::MAX, crate::store::PageBound::units(9)).unwrap().units;
    assert_eq!(due.iter().map(|unit| (unit.id.seq(), unit.came_back)).collect::<Vec<_>>(), [(Seq(3), true)]);
    assert!(store.redo_units(job, &[Seq(2)], BY, None).is_err());
}
