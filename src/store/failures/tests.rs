//! Kinds of failures: kept when a unit fails, true after every later change, answered by their indexes.

use super::*;
use crate::model::{AttemptEnd, UnitFilter, UnitOutcome, UnitStatus};
use crate::store::conformance::{LATER, NOW, change, job_of, lease_on};
use crate::store::connection::DbConnection;
use crate::store::read_plans::{explained, statements_of};
use crate::store::{Access, Batch, UnitChange};

/// A database with a job of which one unit after the other has failed, for these reasons.
fn failed(errors: &[&str]) -> (tempfile::TempDir, Store, JobId) {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(&dir.path().join("jobs.db"), Access::Create).unwrap();
    let job = job_of(&mut store, errors.len());
    fail(&mut store, job, errors);
    (dir, store, job)
}

fn fail(store: &mut Store, job: JobId, errors: &[&str]) {
    let lease = lease_on(store, job);
    let changes: Vec<UnitChange> = (1..)
        .zip(errors)
        .map(|(seq, error)| {
            let outcome = UnitOutcome::Failed { cause: Cause::Failed, error: (*error).to_owned() };
            let end = Some(AttemptEnd::from(outcome));
            UnitChange { end, ..change(job, seq, UnitStatus::Pending, UnitStatus::Failed) }
        })
        .collect();
    assert_eq!(store.record(lease, &Batch::of(&changes)).unwrap().lost, []);
}

fn counted(store: &mut Store, job: JobId) -> Vec<(String, i64)> {
    let found = store.failures(job, 100).unwrap();
    found.into_iter().map(|kind| (kind.text, kind.count)).collect()
}

fn of_kind(store: &mut Store, job: JobId, error: &str) -> Vec<i64> {
    let kind = UnitFilter::of_cluster(ClusterId::of(Cause::Failed, error));
    store.units(job, &kind, None, 100).unwrap().iter().map(|unit| unit.seq.0).collect()
}

#[test]
fn kinds_beyond_the_bound_are_counted_together() {
    let (_dir, mut store, job) = failed(&["a", "b", "c", "b", "d"]);

    let found = store.failures(job, 2).unwrap();

    let seen: Vec<_> = found.iter().map(|kind| (kind.text.as_str(), kind.count, kind.id.is_some())).collect();
    assert_eq!(seen, [("b", 2, true), ("a", 1, true), ("failures of other kinds", 2, false)]);
    assert_eq!((found[2].first, found[2].last), (Seq(3), Seq(5)));
}

#[test]
fn only_units_that_are_failed_now_are_counted_each_by_its_last_failure() {
    let (_dir, mut store, job) = failed(&["a", "a", "b", "b"]);
    store.skip_units(job, &UnitFilter::one(Seq(1)), "no need", NOW).unwrap();
    store.retry_units(job, &UnitFilter::of_cluster(ClusterId::of(Cause::Failed, "b")), LATER).unwrap();

    assert_eq!(counted(&mut store, job), [("a".to_owned(), 1)]);
    assert_eq!(of_kind(&mut store, job, "a"), [2]);
    assert_eq!(of_kind(&mut store, job, "b"), Vec::<i64>::new());

    let lease = lease_on(&mut store, job);
    let unit = store.standing(UnitId::new(job, Seq(3))).unwrap().unwrap().unit;
    let end = UnitOutcome::Failed { cause: Cause::Failed, error: "c".to_owned() };
    let again = change(job, 3, UnitStatus::Pending, UnitStatus::Failed);
    let again = UnitChange { end: Some(end.into()), revision: unit.revision, ..again };
    store.record(lease, &Batch::of(&[again])).unwrap();

    assert_eq!(counted(&mut store, job), [("a".to_owned(), 1), ("c".to_owned(), 1)]);
    assert_eq!(of_kind(&mut store, job, "c"), [3]);
}

#[test]
fn a_database_without_kinds_is_read_the_same_and_not_written_to() {
    let (dir, mut store, job) = failed(&["a 1", "b", "a 2"]);
    let expected = store.failures(job, 100).unwrap();
    // As it was before there were kinds.
    store.execute("DROP TABLE failure_kinds; PRAGMA user_version = 5").unwrap();
    drop(store);
    let path = dir.path().join("jobs.db");
    let tables = || {
        let mut conn = DbConnection::establish(path.to_str().unwrap()).unwrap();
        HasKinds {}.get_result::<(i64, i64)>(&mut conn).unwrap().0
    };

    let mut reader = Store::open(&path, Access::Read).unwrap();

    assert_eq!(reader.failures(job, 100).unwrap(), expected);
    assert_eq!(of_kind(&mut reader, job, "a <n>"), [1, 3]);
    assert_eq!(of_kind(&mut reader, job, "a <n>"), [1, 3], "once more on the same connection");
    assert!(reader.skip_units(job, &UnitFilter::all(), "no need", NOW).is_err(), "it may write");
    assert_eq!(tables(), 0);
}

#[test]
fn kinds_are_counted_and_looked_up_by_their_indexes() {
    let (_dir, mut store, job) = failed(&["a"]);
    let mut plan = |is_wanted: &str, read: &dyn Fn(&mut Store)| {
        let statements = statements_of(&mut store, |store| {
            read(store);
            Ok(())
        });
        explained(&mut store, statements.into_iter().rfind(|sql| sql.contains(is_wanted)).unwrap()).1
    };
    let kind = UnitFilter::of_cluster(ClusterId::of(Cause::Failed, "a"));

    let listed = plan("GROUP BY", &|store| drop(store.failures(job, 9).unwrap()));
    let selected = plan("failure_kinds WHERE kind", &|store| drop(store.units(job, &kind, None, 9).unwrap()));
    let retried = plan("UPDATE `units`", &|store| assert_eq!(store.retry_units(job, &kind, LATER).unwrap(), 1));

    let kinds = "SEARCH failure_kinds USING INTEGER PRIMARY KEY (rowid=?)";
    assert!(listed.contains("SEARCH units USING COVERING INDEX units_failed (id>? AND id<?)"), "{listed}");
    assert!(listed.contains(kinds) && !listed.contains("SCAN units"), "{listed}");
    for plan in [selected, retried] {
        assert!(plan.contains("SEARCH failure_kinds USING COVERING INDEX failure_kinds_kind (kind=?"), "{plan}");
        assert!(plan.contains("SEARCH units USING INTEGER PRIMARY KEY (rowid=?)"), "{plan}");
    }
}

#[test]
fn fault_334_kinds_of_an_older_database_are_those_of_its_present_failures_and_after_a_migration_its_own() {
    let (dir, mut store, job) = failed(&["a", "b"]);
    let path = dir.path().join("jobs.db");
    let kinds = |store: &mut Store| counted(store, job);
    store.execute("ALTER TABLE failure_kinds RENAME TO kept; PRAGMA user_version = 5").unwrap();
    let mut reader = Store::open(&path, Access::Read).unwrap();
    assert_eq!(kinds(&mut reader), [("a".to_owned(), 1), ("b".to_owned(), 1)]);

    // A manager of the older version has run the first unit again.
    store.execute("UPDATE units SET error = 'b' WHERE seq = 1").unwrap();
    assert_eq!(kinds(&mut reader), [("b".to_owned(), 2)]);

    store
        .execute("ALTER TABLE kept RENAME TO failure_kinds; UPDATE failure_kinds SET kind = 7; PRAGMA user_version = 7")
        .unwrap();
    store.execute("UPDATE units SET error = 'c'").unwrap();
    assert_eq!(reader.failures(job, 9).unwrap()[0].id, Some(ClusterId::from_number(7)));
}
