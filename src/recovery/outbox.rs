//! The ends of units between the unit's own end and their commit, kept where the death of the manager cannot take them.
//!
//! Each worker slot has one file, to which its worker adds the end of every unit, and which it writes from the start
//! again whenever everything in it is durable. The next manager records what it finds there as if it had seen it, and names
//! what it cannot read. Nothing is synced: a power cut can lose it, and the unit then runs again.

mod form;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

use serde::{Deserialize, Serialize};

use super::policy::Span;
use crate::files::{How, PrivateDir, explain_denied, open_private, remove_private_dir};
use crate::model::{AttemptEnd, Epoch, JobFiles, Seq, Timestamp, Unit};

/// Ends of one slot that may wait for their commit: enough for the shortest units beside the slowest disk.
const MOST_ENDS: usize = 256;
/// Bytes of them after which the slot waits until they are durable.
const MOST_BYTES: u64 = 1 << 20;
/// The recorder is gone: nothing becomes durable any more.
#[derive(Debug)]
pub struct RecorderGone;

/// The end of one attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ended<'a> {
    /// Lease under which it ran.
    pub epoch: Epoch,
    /// The unit.
    pub seq: Seq,
    /// Number of the attempt.
    pub attempt: u32,
    /// Changes by clients that the unit had seen; older versions did not count them.
    #[serde(default)]
    pub revision: i64,
    /// When it started and ended, in microseconds since the Unix epoch.
    pub span_us: (i64, i64),
    /// The worker slot, from 1; older versions did not write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<u32>,
    /// How it ended.
    pub end: Cow<'a, AttemptEnd>,
}

impl<'a> Ended<'a> {
    /// Describes the end of the unit's next attempt.
    pub fn of(unit: &Unit, epoch: Epoch, span: Span, end: &'a AttemptEnd) -> Self {
        Self {
            epoch,
            seq: unit.id.seq(),
            attempt: unit.attempts + 1,
            revision: unit.revision,
            span_us: (span.started_at.as_micros(), span.ended_at.as_micros()),
            slot: span.slot,
            end: Cow::Borrowed(end),
        }
    }

    /// Returns when and where the attempt ran.
    pub fn span(&self) -> Span {
        let (started, ended) = self.span_us;
        Span { started_at: Timestamp::from_micros(started), ended_at: Timestamp::from_micros(ended), slot: self.slot }
    }

    /// Returns when and where the attempt ran, by a clock that shows `now`: the one it was noted by may have been ahead.
    pub fn span_until(&self, now: Timestamp) -> Span {
        let Span { started_at, ended_at, slot } = self.span();
        Span { started_at: started_at.min(now), ended_at: ended_at.min(now), slot }
    }
}

/// The ends of one slot.
pub struct Outbox {
    file: File,
    /// Where the next end goes.
    offset: u64,
    uncommitted: VecDeque<Receiver<bool>>,
}

impl Outbox {
    /// Opens the file of a slot.
    pub fn open(files: &JobFiles, slot: usize) -> io::Result<Outbox> {
        let file = PrivateDir::create(&files.outbox())?.file(format!("{slot}{}", form::ENDING), How::Write)?;
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
        let mut bytes = vec![0; form::HEADER_BYTES];
        serde_json::to_writer(&mut bytes, ended)?;
        form::seal(&mut bytes)?;
        self.file.write_all_at(&bytes, self.offset)?;
        // The next one takes the place of the mark that says that there is none.
        self.offset += (bytes.len() - form::END.len()) as u64;
        Ok(())
    }
}

/// What a manager left, whether or not it was committed.
#[derive(Debug, Default)]
pub struct Kept {
    /// The ends that can be read.
    pub ended: Vec<Ended<'static>>,
    /// What cannot be read: the file, the record's number in it, and why.
    pub unreadable: Vec<String>,
}

/// Returns what the manager before this one left, in this form or in one of those before it.
pub fn read(files: &JobFiles) -> io::Result<Kept> {
    let mut kept = Kept::default();
    let entries = match fs::read_dir(files.outbox()) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(kept),
        Err(error) => return Err(explain_denied(&files.outbox(), error)),
    };
    for entry in entries {
        let path = entry?.path();
        let bytes = read_whole(&path)?;
        let (mut at, mut number) = (0, 1);
        let mut name = |number: usize, reason: &dyn Display| {
            kept.unreadable.push(format!("record {number} of {} cannot be read: {reason}", path.display()));
        };
        loop {
            match form::record_at(&path, &bytes, at) {
                Ok(None) => break,
                Ok(Some(record)) => {
                    at = record.end;
                    match serde_json::from_slice(&bytes[record]) {
                        Ok(ended) => kept.ended.push(ended),
                        Err(error) => name(number, &error),
                    }
                }
                Err(reason) => {
                    name(number, &format_args!("{reason}; nothing after it is read"));
                    break;
                }
            }
            number += 1;
        }
    }
    Ok(kept)
}

fn read_whole(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_private(path, How::Read)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Forgets everything, once it is recorded.
pub fn clear(files: &JobFiles) -> io::Result<()> {
    remove_private_dir(&files.outbox())
}

#[cfg(test)]
mod tests;
