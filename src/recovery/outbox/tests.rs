//! Ends of units on their way, kept, found again, torn and damaged.

use super::*;
use crate::model::{JobId, Output, StateDir, UnitOutcome};

fn ended(seq: i64) -> Ended<'static> {
    let end = UnitOutcome::Completed { result: Some("1".to_owned()) }.into();
    Ended { epoch: Epoch(1), seq: Seq(seq), attempt: 1, revision: 0, span_us: (1, 2), end: Cow::Owned(end) }
}

fn open(dir: &tempfile::TempDir) -> (JobFiles, Outbox) {
    let files = StateDir::beside(&dir.path().join("db")).job(JobId(1));
    let outbox = Outbox::open(&files, 0).unwrap();
    (files, outbox)
}

fn found(files: &JobFiles) -> Vec<i64> {
    read(files).unwrap().ended.iter().map(|ended| ended.seq.0).collect()
}

#[test]
fn every_end_without_a_commit_is_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let (files, mut outbox) = open(&dir);

    let waiters: Vec<_> = (1..=3).map(|seq| outbox.post(&ended(seq))).collect();
    outbox.make_room().ok().unwrap();

    assert!(waiters.iter().all(|(_, posted)| posted.is_ok()));
    assert_eq!(found(&files), [1, 2, 3]);
    clear(&files).unwrap();
    assert!(read(&files).unwrap().ended.is_empty());
}

#[test]
fn the_file_is_written_from_its_start_when_everything_in_it_is_durable() {
    let dir = tempfile::tempdir().unwrap();
    let (files, mut outbox) = open(&dir);
    let waiters: Vec<_> = (11..=13).map(|seq| outbox.post(&ended(seq)).0).collect();

    waiters.iter().for_each(|waiter| waiter.send(true).unwrap());
    outbox.make_room().ok().unwrap();
    let _waiter = outbox.post(&ended(1000));

    // Longer than the one that it replaces: what follows is not whole any more.
    assert_eq!(found(&files), [1000]);
}

#[test]
fn what_a_unit_wrote_is_found_again_byte_for_byte_and_so_is_the_text_of_older_versions() {
    let dir = tempfile::tempdir().unwrap();
    let (files, mut outbox) = open(&dir);
    let mut wrote = ended(1);
    wrote.end.to_mut().output = Output { stdout: Some(b"\x1b]0;\xff\0\r\n"[..].into()), stderr: Some("é\0".into()) };

    let _waiter = outbox.post(&wrote);

    assert_eq!(read(&files).unwrap().ended, [wrote]);
    let text: Output = serde_json::from_str(r#"{"stdout":"a\u001b","stderr":null}"#).unwrap();
    assert_eq!(text, Output { stdout: Some("a\u{1b}".into()), stderr: None });
}

#[test]
fn a_full_outbox_waits_for_its_oldest_end() {
    let dir = tempfile::tempdir().unwrap();
    let (_files, mut outbox) = open(&dir);
    let waiters: Vec<_> = (1..=MOST_ENDS as i64).map(|seq| outbox.post(&ended(seq)).0).collect();

    drop(waiters);

    assert!(outbox.make_room().is_err(), "it did not wait for an answer");
}

#[test]
fn fault_157_an_end_that_is_torn_or_damaged_is_told_and_not_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let (files, mut outbox) = open(&dir);
    let _waiters = [outbox.post(&ended(1)), outbox.post(&ended(2))];
    let path = files.outbox().join("0.2");
    let whole = fs::read(&path).unwrap();
    let second = whole.len() / 2;

    for length in second + HEADER_BYTES..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let kept = read(&files).unwrap();
        assert_eq!((kept.ended, kept.unreadable.len()), (vec![ended(1)], 1), "{length}");
    }
    for at in second + 8..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&path, damaged).unwrap();
        let kept = read(&files).unwrap();
        assert_eq!(kept.ended, [ended(1)]);
        assert!(kept.unreadable[0].starts_with(&format!("the end at byte {second} of ")), "{:?}", kept.unreadable);
    }
}

#[test]
fn the_outbox_of_another_version_is_named_and_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let (files, _outbox) = open(&dir);
    fs::write(files.outbox().join("3"), "anything").unwrap();

    let kept = read(&files).unwrap();

    assert!(kept.ended.is_empty());
    assert!(kept.unreadable[0].ends_with("outbox/3 is of another version, whose ends are not read"));
}
