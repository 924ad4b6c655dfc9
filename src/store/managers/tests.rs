//! What is kept of managers, and how it is read when somebody else has written it.

use diesel::connection::SimpleConnection;

use super::*;
use crate::model::{Heartbeat, JobStatus, ManagerState, UnitStatus};
use crate::store::conformance::{LATER, NOW, change, job_of, lease_on, manager};
use crate::store::{Batch, Leaving};

fn states(store: &mut Store, job: JobId) -> Vec<(i64, ManagerState, Option<String>, Option<Timestamp>)> {
    let managers = store.managers(job).unwrap();
    managers.into_iter().map(|run| (run.number.0, run.state, run.reason, run.ended_at)).collect()
}

#[test]
fn fault_115_a_part_of_a_managers_record_that_cannot_be_read_is_an_error_that_names_it() {
    let mut store = Store::scratch().unwrap();
    let job = job_of(&mut store, 1);
    assert_eq!(store.manager_record(job).unwrap(), None);
    lease_on(&mut store, job);
    let sound = store.manager_record(job).unwrap();
    store.conn.batch_execute("PRAGMA ignore_check_constraints = ON").unwrap();

    for (column, sound, forged) in [
        ("pid", "7", &["0", "-1", "2147483648", "4294967296"][..]),
        ("start_ticks", "8", &["-1"]),
        (
            "boot_id",
            "'00000000-0000-0000-0000-000000000001'",
            &["''", "'boot'", "'00000000-0000-0000-0000-00000000000g'"],
        ),
        ("host", "'host'", &["''"]),
        ("database", "NULL", &["''", "'1:2'", "'x:2:/jobs.db'"]),
    ] {
        for value in forged {
            store.conn.batch_execute(&format!("UPDATE managers SET {column} = {value}")).unwrap();
            let said = store.manager_record(job).map_err(|error| error.to_string()).unwrap_err();
            assert!(said.ends_with(&format!("its {column} is \"{}\"", value.trim_matches('\''))), "{column}: {said}");
        }
        store.conn.batch_execute(&format!("UPDATE managers SET {column} = {sound}")).unwrap();
    }

    let read = store.manager_record(job).unwrap();
    assert_eq!(read.unwrap().identity, sound.unwrap().identity);
    store.conn.batch_execute("DELETE FROM managers").unwrap();
    assert!(store.manager_record(job).unwrap_err().to_string().ends_with("its manager_pid is missing"));
}

#[test]
fn the_table_takes_no_identity_that_no_process_can_have() {
    let mut store = Store::scratch().unwrap();
    let job = job_of(&mut store, 1);
    lease_on(&mut store, job);

    for forged in [
        "pid = 0",
        "pid = 2147483648",
        "pid = 'x'",
        "start_ticks = -1",
        "boot_id = 'boot'",
        "boot_id = '00000000-0000-0000-0000-00000000000g'",
        "host = ''",
        "number = 0",
        "state = 'gone'",
        "state = 'left'",
        "ended_at = 1",
        "heartbeat_at = NULL",
    ] {
        assert!(store.conn.batch_execute(&format!("UPDATE managers SET {forged}")).is_err(), "{forged}");
    }
}

#[test]
fn each_manager_of_a_job_has_a_row_that_says_how_it_ended() {
    let mut store = Store::scratch().unwrap();
    let job = job_of(&mut store, 1);
    let stopped = lease_on(&mut store, job);
    store.leave(stopped, Leaving::Stopped, LATER).unwrap();
    lease_on(&mut store, job);
    let failed = lease_on(&mut store, job);
    store.leave(failed, Leaving::Failed { error: "no such directory", trace: "" }, LATER).unwrap();
    let last = lease_on(&mut store, job);
    let beat = Heartbeat { at: LATER, workers: 4, running: 3, rate_per_second: 0.5, waits: None, adapted: None };
    let end = [change(job, 1, UnitStatus::Pending, UnitStatus::Completed)];
    store.record(last, &Batch { heartbeat: Some(&beat), ..Batch::of(&end) }).unwrap();
    let record = store.manager_record(job).unwrap().unwrap();
    store.finish(last, LATER, |_| None).unwrap();

    assert_eq!((record.heartbeat_at, record.rate_per_second), (Some(LATER), Some(0.5)));
    assert_eq!(
        states(&mut store, job),
        [
            (1, ManagerState::Left, Some("stopped by a signal".to_owned()), Some(LATER)),
            (2, ManagerState::Lost, None, Some(NOW)),
            (3, ManagerState::Refused, Some("no such directory".to_owned()), Some(LATER)),
            (4, ManagerState::Left, Some("completed".to_owned()), Some(LATER)),
        ]
    );
}

#[test]
fn a_manager_that_was_superseded_is_lost_and_beats_no_more() {
    let mut store = Store::scratch().unwrap();
    let job = job_of(&mut store, 1);
    let before = lease_on(&mut store, job);
    let beat = Heartbeat { at: LATER, workers: 1, running: 0, rate_per_second: 1.0, waits: None, adapted: None };

    store.take_over(job, &manager()).unwrap();
    let refused = store.record(before, &Batch { heartbeat: Some(&beat), ..Batch::default() });

    assert!(matches!(refused, Err(StoreError::Fenced { .. })), "{refused:?}");
    assert_eq!(states(&mut store, job), [(1, ManagerState::Lost, None, Some(NOW))]);
    assert_eq!(store.manager_record(job).unwrap().unwrap().heartbeat_at, Some(NOW));
}

#[test]
fn a_deleted_job_leaves_no_managers() {
    let mut store = Store::scratch().unwrap();
    let (job, other) = (job_of(&mut store, 1), job_of(&mut store, 1));
    let lease = lease_on(&mut store, job);
    lease_on(&mut store, other);
    store.record(lease, &Batch::of(&[change(job, 1, UnitStatus::Pending, UnitStatus::Completed)])).unwrap();
    assert_eq!(store.finish(lease, LATER, |_| None).unwrap(), Some(JobStatus::Completed));

    store.delete_jobs(&[job], |_| true).unwrap();

    let left: Vec<i64> = managers::table.select(managers::job_id).load(&mut store.conn).unwrap();
    assert_eq!(left, [other.0]);
}
