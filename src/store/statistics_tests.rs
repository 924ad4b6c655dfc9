//! What SQLite once learned of tiny tables may not decide how it reads large ones.

use diesel::connection::SimpleConnection;

use super::conformance::{LATER, NOW, change, job_of, lease_on};
use super::read_plans::{explained, statements_of};
use super::{Access, Batch, Extent, Leaving, PageBound, Store, StoreError};
use crate::model::{
    Cause, JobFilter, KillThen, Seq, UnitFilter, UnitId, UnitNotes, UnitOrder, UnitOutcome, UnitStatus,
};

/// Tables whose rows are as many as the units.
const LARGE: [&str; 7] = ["units", "attempts", "failure_kinds", "unit_notes", "made_paths", "metadata", "spends"];

/// Statistics that say: the tables have few rows, and to look into an index is no cheaper than to read them all.
const KINDS: [&str; 3] = [
    "INSERT INTO sqlite_stat1 SELECT name, NULL, '1' FROM sqlite_schema WHERE type = 'table'",
    "INSERT INTO sqlite_stat1 SELECT tbl_name, name, '1 1 1' FROM sqlite_schema WHERE type = 'index'",
    "INSERT INTO sqlite_stat1 SELECT tbl_name, name, '10 10 10' FROM sqlite_schema WHERE type = 'index'",
];

#[test]
fn fault_270_statistics_of_tiny_tables_turn_no_statement_into_a_scan_of_a_large_one() {
    for kind in KINDS {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("jobs.db");
        let mut store = Store::open(&path, Access::Create).unwrap();
        let script = format!("ANALYZE; DELETE FROM sqlite_stat1; {kind};");
        store.conn.batch_execute(&script).unwrap();
        // A connection reads them when it is opened.
        let mut store = Store::open(&path, Access::Write).unwrap();

        let mut found = statements_of(&mut store, read_and_change);

        found.sort();
        found.dedup();
        let is_explained =
            |sql: &String| ["SELECT ", "UPDATE ", "INSERT ", "DELETE "].iter().any(|verb| sql.starts_with(verb));
        for sql in found.into_iter().filter(is_explained) {
            let (sql, plan) = explained(&mut store, sql);
            let scanned =
                LARGE.iter().find(|table| plan.split("; ").any(|step| step.starts_with(&format!("SCAN {table}"))));
            assert_eq!(scanned, None, "{kind}\n{sql}\n{plan}");
        }
    }
}

#[test]
fn fault_270_the_end_of_a_job_and_a_prune_leave_no_statistics_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(&dir.path().join("jobs.db"), Access::Create).unwrap();
    let job = job_of(&mut store, 5000);
    let all: Vec<_> = store.units(job, &UnitFilter::all(), None, 10_000).unwrap();
    assert_eq!(all.len(), 5000);

    store.delete_jobs(&[job], |_| true).unwrap();
    store.release_space().unwrap();

    assert!(store.conn.batch_execute("SELECT * FROM sqlite_stat1").is_err());
}

/// What is done with the units of a job that is one of many.
fn read_and_change(store: &mut Store) -> Result<(), StoreError> {
    use UnitStatus::{Failed, Pending, Running};
    let job = job_of(store, 30);
    let lease = lease_on(store, job);
    store.record(lease, &Batch::of(&(1..=9).map(|seq| change(job, seq, Pending, Running)).collect::<Vec<_>>()))?;
    let notes = UnitNotes { message: Some("half".to_owned()), ..UnitNotes::default() };
    store.note_attempt(UnitId::new(job, Seq(1)), 1.into(), &notes)?;
    let mut failed = change(job, 1, Running, Failed);
    failed.started_at = None;
    failed.end = Some(UnitOutcome::Failed { cause: Cause::Failed, error: "no".to_owned() }.into());
    store.record(lease, &Batch::of(&[failed, change(job, 2, Running, Pending)]))?;
    store.fresh_units(job, Seq(0), Seq::MAX, PageBound::units(10))?;
    store.due_units(lease, LATER, Seq::MAX, PageBound::units(10))?;
    store.next_due(lease, Seq::MAX)?;
    store.running_units(lease)?;
    store.snapshot(job, Extent::Whole, NOW)?;
    store.snapshots(&JobFilter::default(), Extent::Whole, NOW)?;
    store.is_unfinished(job, &Seq(9).into())?;
    store.unit_contents(job, None, 9)?;
    store.failures(job, 9)?;
    store.last_failures(job, 9)?;
    store.attempts(UnitId::new(job, Seq(1)))?;
    store.unit_notes(UnitId::new(job, Seq(1)))?;
    for filter in super::read_plans::filters() {
        store.units(job, &filter, Some(Seq(2)), 9)?;
        store.count_units(job, &filter)?;
        store.sorted_units(job, &filter, UnitOrder::Attempts, None, 9, usize::MAX)?;
        #[cfg(feature = "cli")]
        store.each_result(job, &filter, &mut |_| true)?;
        store.skip_units(job, &filter.after(Seq(28)), "no need", NOW)?;
        store.retry_units(job, &filter.after(Seq(28)), NOW)?;
        store.cancel_pending_units(job, &filter.after(Seq(28)), "no need", NOW)?;
    }
    store.request_kill(job, Seq(3), KillThen::Cancel, "no need")?;
    let kills = store.kills(job)?;
    store.settle_kills(lease, &kills, NOW)?;
    store.leave_gone(job, &[(Seq(20), Seq(22))], NOW)?;
    store.welcome_back(job, &[(Seq(20), Seq(21))])?;
    store.labels(job)?;
    store.leave(lease, Leaving::Stopped, NOW)?;
    store.cancel_idle_job(job, "no need", NOW)?;
    store.delete_jobs(&[job], |_| true)?;
    store.partial_jobs().map(drop)
}
