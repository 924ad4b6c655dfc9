//! What is kept of jobs and managers and cannot be read.

use super::*;
use crate::store::conformance::{job_of, lease_on};

#[test]
fn what_cannot_be_read_in_a_row_is_an_error_and_not_absent() {
    let mut store = Store::scratch().unwrap();
    let job = job_of(&mut store, 1);
    lease_on(&mut store, job);
    let said = |error: StoreError| error.to_string();

    for (key, value) in [(key::SUBMITTER, "{\"umask\": \"rw\"}"), (key::CREATION, "{}"), (key::WAITS, "soon")] {
        store.write("test", |conn| put(conn, job, key, value)).unwrap();
    }

    let refused = store.submitter(job).map_err(said).unwrap_err();
    assert!(refused.starts_with("cannot read job 1: its submitter is "), "{refused}");
    assert!(store.creation(job).map_err(said).unwrap_err().starts_with("cannot read job 1: its creation is "));
    let refused = store.manager_record(job).map_err(said).unwrap_err();
    assert_eq!(refused, "the record of job 1's manager is damaged: its waits is \"soon\"");
}

#[test]
fn fault_115_a_part_of_a_managers_record_that_cannot_be_read_is_an_error_that_names_it() {
    let mut store = Store::scratch().unwrap();
    let job = job_of(&mut store, 1);
    assert_eq!(store.manager_record(job).unwrap(), None);
    lease_on(&mut store, job);
    let sound = store.manager_record(job).unwrap();

    for (key, forged) in [
        (key::PID, &["", "0", "-1", "x", "2147483648", "4294967296"][..]),
        (key::START_TICKS, &["", "-1", "x", "18446744073709551616"]),
        (key::BOOT_ID, &["", "boot", "00000000-0000-0000-0000-00000000000g"]),
        (key::HOST, &[""]),
        (key::DATABASE, &["", "1:2", "x:2:/jobs.db"]),
        (key::HEARTBEAT, &["", "soon"]),
    ] {
        let read = |store: &mut Store| store.manager_record(job).map_err(|error| error.to_string());
        let before: String = store
            .read("test", |conn| Ok(metadata::table.find((job.0, key)).select(metadata::value).first(conn)?))
            .unwrap();
        for value in forged {
            store.write("test", |conn| put(conn, job, key, value)).unwrap();
            assert!(read(&mut store).unwrap_err().ends_with(&format!("its {key} is {value:?}")), "{key}: {value}");
        }
        if matches!(key, key::PID | key::START_TICKS | key::BOOT_ID | key::HOST) {
            store.write("test", |conn| Ok(diesel::delete(metadata::table.find((job.0, key))).execute(conn)?)).unwrap();
            assert!(read(&mut store).unwrap_err().ends_with(&format!("its {key} is missing")), "{key}");
        }
        store.write("test", |conn| put(conn, job, key, &before)).unwrap();
    }

    assert_eq!(store.manager_record(job).unwrap(), sound);
}
