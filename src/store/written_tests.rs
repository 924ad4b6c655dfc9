//! What units wrote on its way through the tables, and as the evidence of a failure.

use super::conformance::{change, job_of, lease_on};
use super::{Access, Batch, Store, UnitChange};
use crate::model::{AttemptEnd, Cause, Output, UnitFilter, UnitId, UnitOutcome, UnitStatus};

#[test]
fn what_a_unit_wrote_is_kept_byte_for_byte_and_its_failure_has_it_as_text() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::open(&dir.path().join("jobs.db"), Access::Create).unwrap();
    let job = job_of(&mut store, 3);
    let lease = lease_on(&mut store, job);
    let long = [b"\xff\n".repeat(2000), b"no \xff file\0 here\r\n".to_vec()].concat();
    let written: [&[u8]; 3] = [b"\x1b]0;x\x07\xff\0\r\n", &long, b"job-manager:base64:?"];
    let outputs = written.map(|bytes| Output { stdout: Some(b"\0\xff"[..].into()), stderr: Some(bytes.into()) });
    let changes: Vec<UnitChange> = (1..)
        .zip(&outputs)
        .map(|(seq, output)| UnitChange {
            end: Some(AttemptEnd {
                outcome: UnitOutcome::Failed { cause: Cause::Failed, error: "exit code 1".to_owned() },
                exit_code: Some(1),
                signal: None,
                output: output.clone(),
                resources: None,
                metered: Vec::new(),
                flag: None,
            }),
            ..change(job, seq, UnitStatus::Pending, UnitStatus::Failed)
        })
        .collect();

    store.record(lease, &Batch::of(&changes)).unwrap();

    let rows = store.units(job, &UnitFilter::all(), None, 10).unwrap();
    let mut failures = store.last_failures(job, 10).unwrap();
    failures.reverse();
    let kinds = store.failures(job, 10).unwrap();
    for (((row, output), (seq, failure)), words) in rows.iter().zip(&outputs).zip(&failures).zip([
        "exit code 1: \u{1b}]0;x\u{7}\u{fffd}\u{fffd}",
        "exit code 1: no \u{fffd} file\u{fffd} here",
        "exit code 1: job-manager:base64:?",
    ]) {
        let attempts = store.attempts(UnitId::new(job, *seq)).unwrap();
        let kind = kinds.iter().find(|kind| kind.first == *seq).unwrap();
        let of_kind = UnitFilter { cluster: kind.id, ..UnitFilter::all() };
        let found = store.units(job, &of_kind, None, 10).unwrap();
        assert_eq!((&row.output, &attempts[0].output), (output, output));
        assert_eq!((failure.as_str(), kind.example.as_str()), (words, words));
        assert_eq!(found.iter().map(|unit| unit.seq).collect::<Vec<_>>(), [*seq]);
    }
}
