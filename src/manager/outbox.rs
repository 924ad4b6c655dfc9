//! The ends of units between the unit's own end and their commit, kept where the death of the manager cannot take them.
//!
//! Each worker slot has one file, to which its worker adds the end of every unit, and which it writes from the start
//! again whenever everything in it is durable. The next manager records what it finds here as if it had seen it.
//! Nothing is synced: a power cut can lose it, and the unit then runs again.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

use serde::{Deserialize, Serialize};

use super::events::RecorderGone;
use super::policy::Span;
use crate::model::{AttemptEnd, Epoch, JobFiles, Seq, Timestamp};

/// Ends of one slot that may wait for their commit: enough for the shortest units beside the slowest disk.
const MOST_ENDS: usize = 256;
/// Bytes of them after which the slot waits until they are durable.
const MOST_BYTES: u64 = 1 << 20;
const HEADER_BYTES: usize = 16;

/// The end of one attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Ended<'a> {
    /// Reign under which it ran.
    pub epoch: Epoch,
    /// The unit.
    pub seq: Seq,
    /// Number of the attempt.
    pub attempt: u32,
    /// When it started and ended, in microseconds since the Unix epoch.
    pub span_us: (i64, i64),
    /// How it ended.
    pub end: Cow<'a, AttemptEnd>,
}

impl Ended<'_> {
    /// Returns when the attempt ran.
    pub fn span(&self) -> Span {
        let (started, ended) = self.span_us;
        Span { started_at: Timestamp::from_micros(started), ended_at: Timestamp::from_micros(ended) }
    }

    /// Returns when the attempt ran, by a clock that shows `now`: the one it was noted by may have been ahead.
    pub fn span_until(&self, now: Timestamp) -> Span {
        let Span { started_at, ended_at } = self.span();
        Span { started_at: started_at.min(now), ended_at: ended_at.min(now) }
    }
}

/// The ends of one slot.
pub(super) struct Outbox {
    file: File,
    /// Where the next end goes.
    offset: u64,
    uncommitted: VecDeque<Receiver<bool>>,
}

impl Outbox {
    /// Opens the file of a slot.
    pub fn open(files: &JobFiles, slot: usize) -> io::Result<Outbox> {
        let dir = files.outbox();
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let path = dir.join(slot.to_string());
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        Ok(Outbox { file, offset: 0, uncommitted: VecDeque::new() })
    }

    /// Makes room for one more end: waits for commits only when there are far too many ends without one.
    pub fn make_room(&mut self) -> Result<(), RecorderGone> {
        let is_full = self.uncommitted.len() >= MOST_ENDS || self.offset >= MOST_BYTES;
        while let Some(oldest) = self.uncommitted.front() {
            // What was recorded, and whether a client was faster, does not matter here.
            let seen = if is_full { oldest.recv().map_err(TryRecvError::from) } else { oldest.try_recv() };
            match seen {
                Ok(_) => self.uncommitted.pop_front(),
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => return Err(RecorderGone),
            };
        }
        self.offset = 0;
        Ok(())
    }

    /// Waits until all that it holds is durable.
    pub fn wait_for_commits(&mut self) -> Result<(), RecorderGone> {
        while let Some(oldest) = self.uncommitted.pop_front() {
            oldest.recv().map_err(|_| RecorderGone)?;
        }
        Ok(())
    }

    /// Keeps the end of an attempt and returns what the recorder has to answer when that is durable.
    ///
    /// An error means that a death of the manager before the next commit would cause that unit to run again, which is
    /// what happens without an outbox: nothing else depends on it.
    pub fn post(&mut self, ended: &Ended<'_>) -> (SyncSender<bool>, io::Result<()>) {
        let (waiter, committed) = sync_channel(1);
        self.uncommitted.push_back(committed);
        (waiter, self.append(ended))
    }

    fn append(&mut self, ended: &Ended<'_>) -> io::Result<()> {
        let mut bytes = vec![0; HEADER_BYTES];
        serde_json::to_writer(&mut bytes, ended)?;
        let json = &bytes[HEADER_BYTES..];
        let (length, sum) = (json.len() as u64, checksum(json));
        bytes[..HEADER_BYTES / 2].copy_from_slice(&length.to_le_bytes());
        bytes[HEADER_BYTES / 2..HEADER_BYTES].copy_from_slice(&sum.to_le_bytes());
        self.file.write_all_at(&bytes, self.offset)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }
}

/// Returns what the manager before this one left, whether or not it was committed.
pub(super) fn read(files: &JobFiles) -> io::Result<Vec<Ended<'static>>> {
    let entries = match fs::read_dir(files.outbox()) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        found.extend(parse_all(&fs::read(entry?.path())?));
    }
    Ok(found)
}

/// Forgets everything, once it is recorded.
pub(super) fn clear(files: &JobFiles) -> io::Result<()> {
    match fs::remove_dir_all(files.outbox()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Reads ends up to the first that is not whole: its writer died in the middle, or it was overwritten in part.
fn parse_all(mut bytes: &[u8]) -> Vec<Ended<'static>> {
    let mut found = Vec::new();
    while let Some((ended, rest)) = parse(bytes) {
        found.push(ended);
        bytes = rest;
    }
    found
}

/// Reads one end and returns what follows it.
fn parse(bytes: &[u8]) -> Option<(Ended<'static>, &[u8])> {
    let (header, rest) = bytes.split_at_checked(HEADER_BYTES)?;
    let (length, sum) = header.split_at(HEADER_BYTES / 2);
    let length = usize::try_from(u64::from_le_bytes(length.try_into().ok()?)).ok()?;
    let (json, rest) = rest.split_at_checked(length)?;
    if checksum(json) != u64::from_le_bytes(sum.try_into().ok()?) {
        return None;
    }
    Some((serde_json::from_slice(json).ok()?, rest))
}

fn checksum(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{JobId, Output, StateDir, UnitOutcome};

    fn ended(seq: i64) -> Ended<'static> {
        let end = UnitOutcome::Completed { result: Some("1".to_owned()) }.into();
        Ended { epoch: Epoch(1), seq: Seq(seq), attempt: 1, span_us: (1, 2), end: Cow::Owned(end) }
    }

    fn open(dir: &tempfile::TempDir) -> (JobFiles, Outbox) {
        let files = StateDir::beside(&dir.path().join("db")).job(JobId(1));
        let outbox = Outbox::open(&files, 0).unwrap();
        (files, outbox)
    }

    fn found(files: &JobFiles) -> Vec<i64> {
        read(files).unwrap().iter().map(|ended| ended.seq.0).collect()
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
        assert!(read(&files).unwrap().is_empty());
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
        wrote.end.to_mut().output =
            Output { stdout: Some(b"\x1b]0;\xff\0\r\n"[..].into()), stderr: Some("é\0".into()) };

        let _waiter = outbox.post(&wrote);

        assert_eq!(read(&files).unwrap(), [wrote]);
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
    fn an_end_whose_writer_died_in_the_middle_is_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let (files, mut outbox) = open(&dir);
        let _waiter = outbox.post(&ended(1));
        let whole = fs::read(files.outbox().join("0")).unwrap();

        for length in 0..whole.len() {
            assert_eq!(parse_all(&whole[..length]), []);
        }
        let mut damaged = whole.clone();
        *damaged.last_mut().unwrap() ^= 1;
        assert_eq!(parse_all(&damaged), []);
        assert_eq!(parse_all(&whole), [ended(1)]);
    }
}
