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
