//! What attempts cost.

use super::*;
use crate::model::{Amount, Budget, Meter, Metered, Spending};

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

/// Makes a job that counts `usd`, with a budget, out of what attempts print, and `tokens` as they say them.
fn metered_job(store: &mut Store, count: usize) -> (JobId, Vec<Meter>) {
    let mut new = NewJob::new("job", "command");
    new.limits.meters = vec!["usd=.cost".parse().unwrap(), "tokens".parse().unwrap()];
    new.limits.meter("usd").budget = Some(Budget { amount: amount("50"), day_zone: None });
    let CreateOutcome::Created(job) = store.create_job(&new, &units(count), true, NOW).unwrap() else { panic!() };
    (job, new.limits.meters)
}

fn ended(job: JobId, seq: i64, to: UnitStatus, metered: &[(&str, Option<&str>)]) -> UnitChange {
    let metered = metered.iter().map(|(name, cost)| Metered { name: (*name).to_owned(), amount: cost.map(amount) });
    let end = end(to).unwrap().metered(metered.collect());
    UnitChange { end: Some(end), ..change(job, seq, UnitStatus::Running, to) }
}

fn spent(store: &mut Store, job: JobId, name: &str) -> Spending {
    let all = store.spending(job).unwrap();
    for spending in &all {
        let units = store.units(job, &UnitFilter::all(), None, 1000).unwrap();
        let of = |unit: &crate::model::UnitDetail| {
            unit.spent.0.iter().filter(|(name, _)| *name == spending.name).map(|(_, sum)| sum.millionths()).sum::<i64>()
        };
        assert_eq!(units.iter().map(of).sum::<i64>(), spending.spent.millionths(), "the sum of {}", spending.name);
    }
    all.into_iter().find(|spending| spending.name == name).unwrap_or_else(|| Spending::none(name))
}

pub fn every_attempt_counts_however_it_ends_and_what_was_said_is_added(mut store: Store) {
    let (job, meters) = metered_job(&mut store, 3);
    let lease = claimed_on(&mut store, job);
    let starts = [1, 2, 3].map(|seq| change(job, seq, UnitStatus::Pending, UnitStatus::Running));
    store.record(lease, &Batch { meters: &meters, ..Batch::of(&starts) }).unwrap();
    store.spend(UnitId::new(job, Seq(1)), 1.into(), &[("tokens".to_owned(), amount("1800"))]).unwrap();
    store.spend(UnitId::new(job, Seq(1)), 1.into(), &[("tokens".to_owned(), amount("200"))]).unwrap();
    store.spend(UnitId::new(job, Seq(2)), 1.into(), &[("usd".to_owned(), amount("0.10"))]).unwrap();

    let ends = [
        ended(job, 1, UnitStatus::Completed, &[("usd", Some("0.25")), ("tokens", None)]),
        ended(job, 2, UnitStatus::Failed, &[("usd", Some("0.15")), ("tokens", Some("7"))]),
        ended(job, 3, UnitStatus::Pending, &[("usd", None), ("tokens", None)]),
    ];
    let recorded = store.record(lease, &Batch { meters: &meters, ..Batch::of(&ends) }).unwrap();

    let usd = spent(&mut store, job, "usd");
    // The third one counts as much as the most that one has cost, because its cost is not known.
    assert_eq!((usd.spent, usd.unmetered, usd.costs.known), (amount("0.75"), 1, 2));
    let tokens = spent(&mut store, job, "tokens");
    assert_eq!((tokens.spent, tokens.unmetered), (amount("4007"), 1));
    assert_eq!(recorded.settled.uncounted, []);
    assert_eq!(recorded.settled.spending.len(), 2);
    assert!(matches!(
        store.spend(UnitId::new(job, Seq(1)), 1.into(), &[("usd".to_owned(), amount("1"))]),
        Err(StoreError::AttemptOver { .. })
    ));
    let unknown = store.spend(UnitId::new(job, Seq(2)), 1.into(), &[("eur".to_owned(), amount("1"))]);
    assert!(unknown.is_err());
}

pub fn a_completed_unit_of_unknown_cost_is_named_where_there_is_a_budget(mut store: Store) {
    let (job, meters) = metered_job(&mut store, 2);
    let lease = claimed_on(&mut store, job);
    let starts = [1, 2].map(|seq| change(job, seq, UnitStatus::Pending, UnitStatus::Running));
    store.record(lease, &Batch { meters: &meters, ..Batch::of(&starts) }).unwrap();

    let ends = [
        ended(job, 1, UnitStatus::Failed, &[("usd", None), ("tokens", None)]),
        ended(job, 2, UnitStatus::Completed, &[("usd", None), ("tokens", None)]),
    ];
    let recorded = store.record(lease, &Batch { meters: &meters, ..Batch::of(&ends) }).unwrap();

    // The first one too, because nothing is known that would count for it.
    assert_eq!(recorded.settled.uncounted, [1, 2].map(|seq| (UnitId::new(job, Seq(seq)), "usd".to_owned())));
    assert_eq!(spent(&mut store, job, "usd").unmetered, 2);
}

pub fn what_an_attempt_has_cost_counts_though_a_client_has_changed_its_unit(mut store: Store) {
    let (job, meters) = metered_job(&mut store, 1);
    let lease = claimed_on(&mut store, job);
    store.skip_units(job, &UnitFilter::all(), "no", NOW).unwrap();

    let late = [ended(job, 1, UnitStatus::Completed, &[("usd", Some("3"))])];
    let recorded = store.record(lease, &Batch { meters: &meters, ..Batch::of(&late) }).unwrap();

    assert_eq!(recorded.lost.len(), 1);
    assert_eq!(spent(&mut store, job, "usd").spent, amount("3"));
}

pub fn a_day_of_a_budget_begins_once(mut store: Store) {
    let (job, meters) = metered_job(&mut store, 2);
    let lease = claimed_on(&mut store, job);
    let of = |seq| UnitChange {
        from: UnitStatus::Pending,
        seen_attempts: 0,
        ..ended(job, seq, UnitStatus::Completed, &[("usd", Some("3"))])
    };
    store.record(lease, &Batch { meters: &meters, ..Batch::of(&[of(1)]) }).unwrap();

    store.begin_day(lease, &[("usd".to_owned(), LATER)]).unwrap();
    store.record(lease, &Batch { meters: &meters, ..Batch::of(&[of(2)]) }).unwrap();
    store.begin_day(lease, &[("usd".to_owned(), LATER), ("tokens".to_owned(), NOW)]).unwrap();

    let usd = spent(&mut store, job, "usd");
    assert_eq!((usd.spent, usd.before_day, usd.day_start), (amount("6"), amount("3"), LATER));
}

pub fn units_are_listed_by_what_they_cost(mut store: Store) {
    use crate::model::UnitOrder;
    let (job, meters) = metered_job(&mut store, 4);
    let lease = claimed_on(&mut store, job);
    let costs = ["0.2", "3", "0.2"];
    let ends: Vec<UnitChange> = (1..)
        .zip(costs)
        .map(|(seq, cost)| UnitChange {
            from: UnitStatus::Pending,
            seen_attempts: 0,
            ..ended(job, seq, UnitStatus::Completed, &[("usd", Some(cost)), ("tokens", Some("1"))])
        })
        .collect();
    store.record(lease, &Batch { meters: &meters, ..Batch::of(&ends) }).unwrap();

    let mut listed = |after| {
        let page = store.sorted_units(job, &UnitFilter::all(), UnitOrder::Spend, after, 9, usize::MAX).unwrap();
        page.units.iter().map(|unit| unit.seq.0).collect::<Vec<_>>()
    };

    assert_eq!(listed(None), [2, 1, 3, 4]);
    assert_eq!(listed(Some(Seq(1))), [3, 4]);
}
