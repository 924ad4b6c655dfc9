//! Ends of units on their way, kept, found again, torn and damaged.

use super::*;
use crate::model::{JobId, Output, StateDir, UnitOutcome};

fn ended(seq: i64) -> Ended<'static> {
    let end = UnitOutcome::Completed { result: Some("1".to_owned()) }.into();
    Ended {
        epoch: Epoch(1),
        seq: Seq(seq),
        attempt: 1,
        revision: 0,
        span_us: (1, 2),
        slot: Some(1),
        end: Cow::Owned(end),
    }
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
fn fault_157_an_end_that_is_torn_or_damaged_anywhere_is_told_and_not_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let (files, mut outbox) = open(&dir);
    let _waiters = [outbox.post(&ended(1)), outbox.post(&ended(2))];
    let path = files.outbox().join("0.3");
    let whole = fs::read(&path).unwrap();
    let second = (whole.len() - form::END.len()) / 2;
    let names_it = |kept: &Kept, number: usize, at: usize| {
        let named = format!("record {number} of {} cannot be read: ", path.display());
        assert!(kept.unreadable.len() == 1 && kept.unreadable[0].starts_with(&named), "{at}: {:?}", kept.unreadable);
    };

    for length in second..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let kept = read(&files).unwrap();
        let is_whole = length >= whole.len() - form::END.len();
        assert_eq!(kept.ended.len(), if is_whole { 2 } else { 1 }, "{length}");
        names_it(&kept, if is_whole { 3 } else { 2 }, length);
    }
    for at in second..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        fs::write(&path, damaged).unwrap();
        let kept = read(&files).unwrap();
        let is_whole = at >= whole.len() - form::END.len();
        assert_eq!(kept.ended.len(), if is_whole { 2 } else { 1 }, "{at}");
        names_it(&kept, if is_whole { 3 } else { 2 }, at);
    }
}

#[test]
fn a_record_of_another_shape_is_named_and_hides_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let (files, mut outbox) = open(&dir);
    let mut strange = vec![0; form::HEADER_BYTES];
    strange.extend(b"{\"seq\":1}");
    form::seal(&mut strange).unwrap();
    strange.truncate(strange.len() - form::END.len());
    outbox.file.write_all_at(&strange, 0).unwrap();
    outbox.offset = strange.len() as u64;
    let _waiter = outbox.post(&ended(2));

    let kept = read(&files).unwrap();

    assert_eq!(kept.ended, [ended(2)]);
    assert!(kept.unreadable[0].contains("record 1 of ") && kept.unreadable[0].contains("missing field"), "{kept:?}");
}

/// An end as versions before this one wrote it.
const FORMER: &str = r#"{"epoch":1,"seq":7,"attempt":1,"span_us":[1,2],"end":{"outcome":{"Completed":{"result":"1"}},"exit_code":null,"signal":null,"output":{"stdout":null,"stderr":null}}}"#;

fn of_version_1(json: &str) -> Vec<u8> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    json.as_bytes().hash(&mut hasher);
    [&(json.len() as u64).to_le_bytes()[..], &hasher.finish().to_le_bytes(), json.as_bytes()].concat()
}

fn of_version_2(round: u32, json: &str) -> Vec<u8> {
    let sum = crc32fast::hash(&[&round.to_le_bytes(), json.as_bytes()].concat());
    let header = [u32::from_le_bytes(*b"end2"), round, json.len() as u32, sum].map(u32::to_le_bytes).concat();
    [header, json.as_bytes().to_vec()].concat()
}

#[test]
fn the_ends_of_every_version_before_this_one_are_read_and_damage_in_them_is_named() {
    let second = FORMER.replace("\"seq\":7", "\"seq\":8");
    let left = FORMER.replace("\"seq\":7", "\"seq\":9");
    let first_form = [of_version_1(FORMER), of_version_1(&second), of_version_1(&left)[5..].to_vec()].concat();
    let second_form = [of_version_2(3, FORMER), of_version_2(3, &second), of_version_2(2, &left)].concat();

    for (name, bytes) in [("4", first_form), ("4.2", second_form)] {
        let dir = tempfile::tempdir().unwrap();
        let (files, _outbox) = open(&dir);
        let path = files.outbox().join(name);

        fs::write(&path, &bytes).unwrap();
        assert_eq!((found(&files), read(&files).unwrap().unreadable), (vec![7, 8], vec![]), "{name}");

        fs::write(&path, [&bytes[..20], b"x", &bytes[21..]].concat()).unwrap();
        let kept = read(&files).unwrap();
        assert!(kept.ended.is_empty() && kept.unreadable[0].contains("record 1 of "), "{name}: {kept:?}");
    }
}

#[test]
fn the_outbox_of_a_later_version_is_named_and_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let (files, _outbox) = open(&dir);
    fs::write(files.outbox().join("3.9"), "anything").unwrap();
    fs::write(files.outbox().join("0.3"), "end4 and anything").unwrap();

    let kept = read(&files).unwrap();

    assert_eq!((kept.ended.len(), kept.unreadable.len()), (0, 2));
    assert!(kept.unreadable.iter().any(|line| line.contains("outbox/3.9") && line.contains("version")), "{kept:?}");
}
