//! How SQLite runs the statements that read units: what they cost may depend on what they return, not on where it stands.

use std::sync::{Arc, Mutex};

use diesel::connection::{Connection, InstrumentationEvent};
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::{Access, Store, StoreError};
use crate::model::{Flagged, JobId, NewJob, NewUnit, Seq, Timestamp, UnitFilter, UnitId, UnitOrder, UnitStatus};

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// Returns the first statement about units of a read, and how SQLite runs it.
fn plan_of<T>(store: &mut Store, read: impl FnOnce(&mut Store) -> Result<T, StoreError>) -> (String, String) {
    let statements = statements_of(store, read);
    let sql = statements.into_iter().find(|sql| sql.contains("units")).expect("a statement about units");
    explained(store, sql)
}

/// Returns the last statement of a read that sorts units, and how SQLite runs it.
fn last_plan_of<T>(store: &mut Store, read: impl FnOnce(&mut Store) -> Result<T, StoreError>) -> (String, String) {
    let statements = statements_of(store, read);
    let sql = statements
        .into_iter()
        .rfind(|sql| sql.contains("units") && sql.contains("ORDER BY"))
        .expect("units in an order");
    explained(store, sql)
}

pub(super) fn statements_of<T>(
    store: &mut Store,
    read: impl FnOnce(&mut Store) -> Result<T, StoreError>,
) -> Vec<String> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let statements = Arc::clone(&seen);
    store.conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            statements.lock().unwrap().push(query.to_string());
        }
    });
    read(store).unwrap();
    store.conn.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    let seen = seen.lock().unwrap();
    seen.iter().map(|text| text.split(" -- binds").next().unwrap().to_owned()).collect()
}

pub(super) fn explained(store: &mut Store, sql: String) -> (String, String) {
    let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load(&mut store.conn).unwrap();
    (sql, steps.into_iter().map(|step| step.detail).collect::<Vec<_>>().join("; "))
}

pub(super) fn filters() -> Vec<UnitFilter> {
    vec![
        UnitFilter::all(),
        UnitFilter { first: Some(Seq(3)), last: Some(Seq(9)), ..UnitFilter::all() },
        UnitFilter::with_status(UnitStatus::Completed),
        UnitFilter { statuses: vec![UnitStatus::Completed, UnitStatus::Failed], ..UnitFilter::all() },
        UnitFilter { current: Some(true), ..UnitFilter::all() },
        UnitFilter { pattern: Some("a".parse().unwrap()), ..UnitFilter::all() },
    ]
}

#[test]
fn fault_190_no_reading_statement_begins_before_its_page() {
    let dir = tempfile::tempdir().unwrap();
    let store = &mut Store::open(&dir.path().join("jobs.db"), Access::Create).unwrap();
    let (job, after) = (JobId(1), Some(Seq(5)));
    let mut found = vec![
        plan_of(store, |store| store.unit_contents(job, after, 9)),
        plan_of(store, |store| store.last_failures(job, 9)),
    ];
    for filter in filters() {
        found.push(plan_of(store, |store| store.each_result(job, &filter.after(Seq(5)), &mut |_| true)));
        found.push(plan_of(store, |store| store.units(job, &filter, after, 9)));
        found.push(plan_of(store, |store| store.count_units(job, &filter)));
    }

    for (sql, plan) in found {
        let conditions = sql.replace('`', "").replace("units.", "");
        let lower_bounds = conditions.matches("id > ").count() + conditions.matches("id BETWEEN ").count();
        assert_eq!(lower_bounds, 1, "{sql}");
        assert!(plan.starts_with("SEARCH units USING "), "{sql}: {plan}");
        assert!(!plan.contains("TEMP B-TREE"), "{sql}: {plan}");
    }
}

#[test]
fn fault_190_few_units_are_found_by_their_index() {
    let dir = tempfile::tempdir().unwrap();
    let store = &mut Store::open(&dir.path().join("jobs.db"), Access::Create).unwrap();
    let filters = [
        (UnitFilter { key: Some("k".to_owned()), ..UnitFilter::all() }, "units_key"),
        (UnitFilter::with_status(UnitStatus::Failed), "units_failed"),
        (UnitFilter::with_status(UnitStatus::Running), "units_running"),
        (UnitFilter { current: Some(false), ..UnitFilter::all() }, "units_marked"),
    ];

    for (filter, index) in filters {
        let page = plan_of(store, |store| store.units(JobId(1), &filter, Some(Seq(5)), 9));
        let count = plan_of(store, |store| store.count_units(JobId(1), &filter));

        for (sql, plan) in [page, count] {
            assert!(plan.contains(index), "{sql}: {plan}");
        }
    }
}

#[test]
fn fault_190_sorted_units_are_looked_for_among_the_numbers_that_were_asked_for_only() {
    let dir = tempfile::tempdir().unwrap();
    let store = &mut Store::open(&dir.path().join("jobs.db"), Access::Create).unwrap();
    let units: Vec<NewUnit> = (1..=9).map(|number| NewUnit::new(&number).unwrap()).collect();
    store.create_job(&NewJob::new("job", "x"), &units, true, Timestamp::from_micros(1)).unwrap();

    for filter in filters() {
        for order in [UnitOrder::Duration, UnitOrder::Finished, UnitOrder::Attempts] {
            for after in [None, Some(Seq(5))] {
                let (sql, plan) =
                    last_plan_of(store, |store| store.sorted_units(JobId(1), &filter, order, after, 9, usize::MAX));
                assert!(
                    plan.starts_with("SEARCH units USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
                    "{sql}: {plan}"
                );
            }
        }
    }
}

#[test]
fn fault_190_what_belongs_to_one_unit_or_job_is_found_by_its_key() {
    let dir = tempfile::tempdir().unwrap();
    let store = &mut Store::open(&dir.path().join("jobs.db"), Access::Create).unwrap();
    let unit = UnitId::new(JobId(1), Seq(5));
    let of = |store: &mut Store, table: &str, read: &dyn Fn(&mut Store)| {
        let found = statements_of(store, |store| {
            read(store);
            Ok(())
        });
        let sql = found.into_iter().find(|sql| sql.contains(table)).unwrap();
        explained(store, sql)
    };

    for (sql, plan) in [
        of(store, "attempts", &|store| drop(store.attempts(unit).unwrap())),
        of(store, "unit_notes", &|store| drop(store.unit_notes(unit).unwrap())),
        of(store, "metadata", &|store| drop(store.labels(JobId(1)).unwrap())),
        of(store, "metadata", &|store| drop(store.creation(JobId(1)).unwrap())),
        of(store, "managers", &|store| drop(store.manager_record(JobId(1)).unwrap())),
        of(store, "specs", &|store| drop(store.spec(JobId(1)))),
        of(store, "jobs", &|store| assert_eq!(store.job_of_key("k").unwrap(), None)),
        of(store, "jobs", &|store| drop(store.job(JobId(1)))),
    ] {
        let plan = plan.trim_start_matches("SCAN job VIRTUAL TABLE INDEX 1:; ");
        assert!(plan.starts_with("SEARCH ") && !plan.contains("SCAN"), "{sql}: {plan}");
    }
}

#[test]
fn the_unit_that_a_job_ends_with_is_found_by_its_kind() {
    let dir = tempfile::tempdir().unwrap();
    let store = &mut Store::open(&dir.path().join("jobs.db"), Access::Create).unwrap();

    let (sql, plan) = plan_of(store, |store| store.has_finalizer(JobId(1)));

    assert_eq!(plan, "SEARCH units USING INDEX units_marked (id>? AND id<?)", "{sql}");
}

#[test]
fn the_page_after_the_last_possible_unit_is_empty() {
    let dir = tempfile::tempdir().unwrap();
    let store = &mut Store::open(&dir.path().join("jobs.db"), Access::Create).unwrap();
    let insert = "INSERT INTO units (id, payload, status, attempts, crashes) \
                  VALUES (8589934591, '1', 'pending', 0, 0), (8589934592, '2', 'pending', 0, 0)";
    diesel::sql_query(insert).execute(&mut store.conn).unwrap();

    let page = |store: &mut Store, after| store.units(JobId(1), &UnitFilter::all(), Some(after), 9).unwrap().len();

    assert_eq!(page(store, Seq(Seq::MAX.0 - 1)), 1);
    assert_eq!(page(store, Seq::MAX), 0);
    assert_eq!(page(store, Seq(i64::MAX)), 0);
}

#[test]
fn fault_506_pictures_look_at_a_bounded_part_of_a_job() {
    let dir = tempfile::tempdir().unwrap();
    let store = &mut Store::open(&dir.path().join("jobs.db"), Access::Create).unwrap();
    let mut plans = Vec::new();
    for sql in statements_of(store, |store| store.lanes(JobId(1), Seq(1_000_000), Timestamp::now())) {
        plans.push(explained(store, sql));
    }
    for sql in statements_of(store, |store| store.strips(&[JobId(1)], Timestamp::now())) {
        plans.push(explained(store, sql));
    }
    for sql in statements_of(store, |store| store.failed_of_late(JobId(1))) {
        plans.push(explained(store, sql));
    }
    for sql in statements_of(store, |store| store.waiting_by_group(JobId(1))) {
        plans.push(explained(store, sql));
    }

    let of_tables: Vec<_> = plans
        .iter()
        .filter(|(sql, _)| ["FROM units", "FROM attempts"].iter().any(|table| sql.contains(table)))
        .collect();
    assert!(of_tables.len() >= 5, "{plans:?}");
    for (sql, plan) in of_tables {
        // The latest attempts are read from the end of their table, and no more of them than the limit says.
        let plan = plan.replace("CO-ROUTINE latest; SCAN attempts;", "");
        assert!(
            !["units", "attempts", "failure_kinds"].iter().any(|table| plan.contains(&format!("SCAN {table}"))),
            "{sql}: {plan}"
        );
        assert!(!plan.contains("TEMP B-TREE FOR ORDER BY"), "{sql}: {plan}");
    }
}

#[test]
fn fault_512_doubtful_units_are_found_without_a_look_at_those_that_nobody_doubts() {
    let dir = tempfile::tempdir().unwrap();
    let store = &mut Store::open(&dir.path().join("jobs.db"), Access::Create).unwrap();
    let flagged = |flagged| UnitFilter { flagged: Some(flagged), ..UnitFilter::all() };
    let mut statements = statements_of(store, |store| store.undecided(JobId(1)));
    statements.extend(statements_of(store, |store| store.flag(UnitId::new(JobId(1), Seq(1)))));
    for filter in [flagged(Flagged::Undecided), flagged(Flagged::Any)] {
        statements.extend(statements_of(store, |store| store.units(JobId(1), &filter, None, 9)));
    }

    let about: Vec<String> = statements.into_iter().filter(|sql| sql.contains("FROM flags")).collect();
    assert!(about.len() >= 4, "{about:?}");
    for sql in about {
        let (sql, plan) = explained(store, sql);
        assert!(plan.contains("SEARCH flagged USING INTEGER PRIMARY KEY (rowid=?)"), "{sql}: {plan}");
        assert!(!plan.contains("SCAN flagged"), "{sql}: {plan}");
    }
}
