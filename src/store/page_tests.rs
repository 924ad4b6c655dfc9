//! What a look at jobs reads: a number of statements that does not grow with them, short rows, and of many jobs only those that
//! are asked for.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use super::conformance::{NOW, job_of, lease_on};
use super::read_plans::{explained, statements_of};
use super::{Access, Extent, Store};
use crate::model::{JobFilter, JobId, JobStatus, NewJob, NewUnit, Timestamp};

/// Makes jobs that have ended, beside one that runs and one that was never started.
fn store_with_ended_jobs(path: &Path, ended: usize) -> Store {
    let mut store = Store::open(path, Access::Create).unwrap();
    let units: Vec<NewUnit> = (1..=3).map(|number| NewUnit::new(&number).unwrap()).collect();
    for number in 0..ended + 2 {
        let mut new = NewJob::new(format!("job {number}"), "x");
        new.labels.insert("team".to_owned(), "web".to_owned());
        store.create_job(&new, &units, true, Timestamp::from_micros(1)).unwrap();
    }
    let ends = format!(
        "UPDATE jobs SET status = 'completed', epoch = 1, started_at = 1, finished_at = 2, completed = 3, pending = 0 WHERE id <= {ended}"
    );
    for sql in
        [ends, "UPDATE jobs SET status = 'running', started_at = 1 WHERE id = (SELECT max(id) FROM jobs)".to_owned()]
    {
        diesel::sql_query(sql).execute(&mut store.conn).unwrap();
    }
    store
}

#[test]
fn a_page_of_jobs_takes_as_many_statements_however_many_of_them_have_ended() {
    let dir = tempfile::tempdir().unwrap();
    // Their managers cannot live any more.
    let (now, all) = (Timestamp::from_micros(200_000_000), JobFilter::default());
    for extent in [Extent::Running, Extent::Whole] {
        let counted = [1, 60].map(|ended| {
            let path = dir.path().join(format!("{ended} {extent:?}.db"));
            let store = &mut store_with_ended_jobs(&path, ended);
            let statements = statements_of(store, |store| store.snapshots(&all, extent, now));
            let found = store.snapshots(&all, extent, now).unwrap().jobs;
            assert_eq!(found.len(), ended + 2);
            assert!(found.iter().all(|rows| rows.texts.labels.is_empty() == (extent == Extent::Running)));
            statements.len()
        });

        assert_eq!(counted[0], counted[1], "{extent:?}");
    }
}

#[test]
fn what_is_read_of_a_job_besides_its_row_is_found_by_its_number() {
    let dir = tempfile::tempdir().unwrap();
    let store = &mut store_with_ended_jobs(&dir.path().join("jobs.db"), 3);
    let now = Timestamp::from_micros(3);

    let statements = statements_of(store, |store| store.snapshot(JobId(5), Extent::Whole, now));

    let besides = statements.into_iter().filter(|sql| sql.contains("units") || sql.contains("metadata"));
    let plans: Vec<(String, String)> = besides.map(|sql| explained(store, sql)).collect();
    assert!(plans.len() >= 2);
    for (sql, plan) in plans {
        let scans = plan.split("; ").filter(|step| step.starts_with("SCAN"));
        let large = scans.filter(|step| !step.contains("VIRTUAL TABLE") && !step.contains("under_way")).count();
        assert_eq!(large, 0, "{sql}: {plan}");
    }
}

/// Makes jobs that run, each with its manager's row and a text of it.
fn store_with_running_jobs(path: &Path, running: usize) -> (Store, Vec<JobId>) {
    let mut store = Store::open(path, Access::Create).unwrap();
    let jobs = (0..running).map(|_| {
        let job = job_of(&mut store, 3);
        let lease = lease_on(&mut store, job);
        store.note_stopping(lease, "no more").unwrap();
        job
    });
    let jobs = jobs.collect();
    (store, jobs)
}

#[test]
fn a_page_of_jobs_takes_as_many_statements_however_many_of_them_run() {
    let dir = tempfile::tempdir().unwrap();
    for extent in [Extent::Manager, Extent::Running, Extent::Whole] {
        let counted = [1, 30].map(|running| {
            let path = dir.path().join(format!("{running} {extent:?}.db"));
            let (store, jobs) = &mut store_with_running_jobs(&path, running);
            let statements = statements_of(store, |store| store.snapshots(&JobFilter::default(), extent, NOW));
            let found = store.snapshots(&JobFilter::default(), extent, NOW).unwrap().jobs;
            assert!(found.len() == jobs.len() && found.iter().all(|rows| rows.is_stopping()), "{found:?}");
            statements.len()
        });

        assert_eq!(counted[0], counted[1], "{extent:?}");
    }
}

#[test]
fn a_manager_whose_row_cannot_be_read_hides_no_other_of_its_page() {
    let dir = tempfile::tempdir().unwrap();
    let (store, jobs) = &mut store_with_running_jobs(&dir.path().join("jobs.db"), 3);
    let damage = "PRAGMA ignore_check_constraints = ON; UPDATE managers SET state = 'odd' WHERE job_id = ";
    store.conn.batch_execute(&format!("{damage}{}", jobs[1])).unwrap();

    let found = store.snapshots(&JobFilter::default(), Extent::Running, NOW).unwrap().jobs;

    let read: Vec<bool> = found.iter().map(|rows| rows.known_record().is_some()).collect();
    assert_eq!(read, [true, false, true]);
    assert!(found[1].record.as_ref().unwrap_err().to_string().contains("row of a manager"));
}

#[test]
fn a_look_at_jobs_reads_the_settings_only_of_those_that_may_be_continued() {
    let dir = tempfile::tempdir().unwrap();
    let store = &mut store_with_ended_jobs(&dir.path().join("jobs.db"), 3);
    let (all, ended) =
        (JobFilter::default(), JobFilter { statuses: vec![JobStatus::Completed], ..JobFilter::default() });
    let reads_settings = |store: &mut Store, filter, extent| {
        let statements = statements_of(store, |store| store.snapshots(filter, extent, NOW));
        statements.iter().any(|sql| sql.contains("spec"))
    };

    assert!(!reads_settings(store, &all, Extent::Running));
    assert!(!reads_settings(store, &ended, Extent::Whole));
    assert!(reads_settings(store, &all, Extent::Whole));
    let found = store.snapshots(&all, Extent::Whole, NOW).unwrap().jobs;
    assert!(found.iter().all(|rows| rows.spec.is_none() == rows.job.status.is_terminal()));
}

#[test]
fn jobs_that_have_not_ended_are_found_without_a_look_at_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let store = &mut store_with_ended_jobs(&dir.path().join("jobs.db"), 3);
    let running = JobFilter { statuses: vec![JobStatus::Running, JobStatus::Paused], ..JobFilter::default() };

    let of_state = statements_of(store, |store| store.jobs(&running));
    let all = statements_of(store, Store::unended_jobs);

    for sql in of_state.into_iter().chain(all).filter(|sql| sql.contains("FROM")) {
        let (sql, plan) = explained(store, sql);
        assert_eq!(plan, "SEARCH jobs USING INDEX jobs_unended (finished_at=?)", "{sql}");
    }
    assert_eq!(store.jobs(&running).unwrap().jobs.len(), 1);
    assert_eq!(store.unended_jobs().unwrap().jobs.len(), 2);
}
