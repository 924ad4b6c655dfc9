//! What every store must do for whoever reads units page by page.

use super::{LATER, NOW, change, job_of, lease_on};
use crate::model::{JobStatus, Seq, UnitFilter, UnitId, UnitOrder, UnitStatus};
use crate::store::{Batch, Store, UnitChange};

pub fn pages_of_units_follow_each_other(mut store: Store) {
    let job = job_of(&mut store, 5);
    job_of(&mut store, 5);

    let first = store.units(job, &UnitFilter::all(), None, 3).unwrap();
    let second = store.units(job, &UnitFilter::all(), first.last().map(|unit| unit.seq), 3).unwrap();

    assert_eq!(first.iter().chain(&second).map(|unit| unit.seq.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
}

pub fn units_are_listed_in_other_orders_page_by_page(mut store: Store) {
    let job = job_of(&mut store, 4);
    let lease = lease_on(&mut store, job);
    let ended = |seq, attempts, finished_at| {
        let ended = change(job, seq, UnitStatus::Pending, UnitStatus::Completed);
        UnitChange { attempts, ended_at: Some(finished_at), ..ended }
    };
    store.record(lease, &Batch::of(&[ended(1, 1, NOW), ended(2, 3, LATER), ended(3, 1, LATER)])).unwrap();
    let mut listed = |order| {
        let mut page =
            |after| store.sorted_units(job, &UnitFilter::all(), order, after, 1, usize::MAX).unwrap().units.pop();
        let pages = std::iter::successors(page(None), |unit| page(Some(unit.seq)));
        pages.map(|unit| unit.seq.0).collect::<Vec<_>>()
    };

    assert_eq!([UnitOrder::Duration, UnitOrder::Finished].map(&mut listed), [[2, 3, 1, 4], [2, 3, 1, 4]]);
    assert_eq!([UnitOrder::Seq, UnitOrder::Attempts].map(&mut listed), [[1, 2, 3, 4], [2, 1, 3, 4]]);
}

pub fn units_before_another_are_counted(mut store: Store) {
    let job = job_of(&mut store, 5);

    let ahead = [1, 5].map(|seq| store.units_ahead(UnitId::new(job, Seq(seq)), None, NOW).unwrap());

    assert_eq!(ahead, [0, 4]);
}

pub fn jobs_add_up_by_state(mut store: Store) {
    for units in [2, 3] {
        job_of(&mut store, units);
    }

    let totals = store.job_totals().unwrap();

    assert_eq!(totals.len(), 1);
    assert_eq!((totals[0].status, totals[0].jobs), (JobStatus::Created, 2));
    assert_eq!((totals[0].units.total, totals[0].units.pending, totals[0].units.completed), (5, 5, 0));
}

pub fn units_that_are_looked_at_are_spread_over_all_and_as_many_as_may_be(mut store: Store) {
    let (_, job) = (job_of(&mut store, 3), job_of(&mut store, 1_000));

    let counted = [(1_000, 5_000), (1_000, 1_000), (1_000, 999), (1_000, 100), (7, 3), (1, 1), (0, 10)]
        .map(|(through, most)| store.spread_units(job, through, most).unwrap().counted);

    assert_eq!(counted, [1_000, 1_000, 500, 100, 2, 1, 0]);
}
