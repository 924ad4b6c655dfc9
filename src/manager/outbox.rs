//! The ends of units between the unit's own end and their commit, kept where the death of the manager cannot take them.
//!
//! Each worker slot has two places and uses them in turn: a worker reports the end of a unit only when the end before
//! it is durable, so that a place is free again by its next turn. The next manager records what it finds here as if
//! it had seen it. Nothing is synced: a power cut can lose it, and the unit then runs again.

use std::fs::{self, File, OpenOptions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};

use serde::{Deserialize, Serialize};

use super::policy::Span;
use crate::model::{AttemptEnd, Epoch, JobFiles, Seq, Timestamp};

const PLACES: usize = 2;
const HEADER_BYTES: usize = 16;

/// The end of one attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Ended {
    /// Reign under which it ran.
    pub epoch: Epoch,
    /// The unit.
    pub seq: Seq,
    /// Number of the attempt.
    pub attempt: u32,
    /// When it started and ended, in microseconds since the Unix epoch.
    pub span_us: (i64, i64),
    /// How it ended.
    pub end: AttemptEnd,
}

impl Ended {
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

/// The places of one slot.
pub(super) struct Outbox {
    places: [File; PLACES],
    turn: usize,
}

impl Outbox {
    /// Opens the places of a slot.
    pub fn open(files: &JobFiles, slot: usize) -> io::Result<Outbox> {
        let dir = files.outbox();
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let open = |place: usize| {
            let path = dir.join(format!("{slot}.{place}"));
            OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)
        };
        Ok(Outbox { places: [open(0)?, open(1)?], turn: 0 })
    }

    /// Keeps the end of an attempt.
    ///
    /// An error means that a death of the manager before the next commit would cause that unit to run again, which is
    /// what happens without an outbox: nothing else depends on it.
    pub fn post(&mut self, ended: &Ended) -> io::Result<()> {
        let json = serde_json::to_vec(ended)?;
        let mut bytes = Vec::with_capacity(HEADER_BYTES + json.len());
        bytes.extend_from_slice(&(json.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&checksum(&json).to_le_bytes());
        bytes.extend_from_slice(&json);
        self.turn = (self.turn + 1) % PLACES;
        self.places[self.turn].write_all_at(&bytes, 0)
    }
}

/// Returns what the manager before this one left, whether or not it was committed.
pub(super) fn read(files: &JobFiles) -> io::Result<Vec<Ended>> {
    let entries = match fs::read_dir(files.outbox()) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        found.extend(parse(&fs::read(entry?.path())?));
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

/// Reads one place; none when it was never used or its writer died in the middle.
fn parse(bytes: &[u8]) -> Option<Ended> {
    let (header, rest) = bytes.split_at_checked(HEADER_BYTES)?;
    let (length, sum) = header.split_at(HEADER_BYTES / 2);
    let length = usize::try_from(u64::from_le_bytes(length.try_into().ok()?)).ok()?;
    let json = rest.get(..length)?;
    if checksum(json) != u64::from_le_bytes(sum.try_into().ok()?) {
        return None;
    }
    serde_json::from_slice(json).ok()
}

fn checksum(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{JobId, StateDir, UnitOutcome};

    fn ended(seq: i64) -> Ended {
        let end = UnitOutcome::Completed { result: Some("1".to_owned()) }.into();
        Ended { epoch: Epoch(1), seq: Seq(seq), attempt: 1, span_us: (1, 2), end }
    }

    #[test]
    fn the_last_two_ends_of_a_slot_are_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let files = StateDir::beside(&dir.path().join("db")).job(JobId(1));
        let mut outbox = Outbox::open(&files, 0).unwrap();

        (1..=3).for_each(|seq| outbox.post(&ended(seq)).unwrap());
        let mut found: Vec<i64> = read(&files).unwrap().iter().map(|ended| ended.seq.0).collect();
        found.sort_unstable();

        assert_eq!(found, [2, 3]);
        clear(&files).unwrap();
        assert!(read(&files).unwrap().is_empty());
    }

    #[test]
    fn a_place_whose_writer_died_in_the_middle_is_ignored() {
        let dir = tempfile::tempdir().unwrap();
        let files = StateDir::beside(&dir.path().join("db")).job(JobId(1));
        Outbox::open(&files, 0).unwrap().post(&ended(1)).unwrap();
        let path = files.outbox().join("0.1");
        let whole = fs::read(&path).unwrap();

        for length in 0..whole.len() {
            assert_eq!(parse(&whole[..length]), None);
        }
        let mut damaged = whole.clone();
        *damaged.last_mut().unwrap() ^= 1;
        assert_eq!(parse(&damaged), None);
        assert_eq!(parse(&whole), Some(ended(1)));
    }
}
