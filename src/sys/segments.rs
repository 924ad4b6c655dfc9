//! The whole output of units, in files that are only ever appended to: one for each worker slot and lease.
//!
//! A frame is written by one call; when that fails, the file is cut back to the frames before, so that what other units of
//! the slot write later can be read. A death in the middle of a write can only leave a torn frame at the end of a file that
//! nobody goes on with.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::frames::{FrameOf, Frames, Stream, encode, name_of, places_in};
use super::inherited::opening;
use crate::files::{How, KeptDir, open_private};

/// Bytes kept of one stream of one attempt.
pub const FULL_OUTPUT_LIMIT_BYTES: u64 = 1 << 30;
const MARK: &[u8] = b"\n[... the rest is omitted ...]\n";
const GAP: &[u8] = b"\n[... some of the output could not be kept ...]\n";

/// Appends the output of one attempt.
#[derive(Debug)]
pub struct SegmentWriter {
    file: File,
    /// Where the frames end that were written whole.
    end: u64,
    seq: i64,
    started_us: i64,
    written: [u64; 2],
    /// Whether something that came before was not kept.
    has_gap: bool,
}

impl SegmentWriter {
    /// Opens the file of a slot for one attempt; the directory is made if there is none.
    pub fn open(dir: &KeptDir, epoch: i64, slot: usize, seq: i64, started_us: i64) -> io::Result<SegmentWriter> {
        let file = dir.file(name_of(epoch, slot), How::Append)?;
        let end = file.metadata()?.len();
        Ok(SegmentWriter { file, end, seq, started_us, written: [0; 2], has_gap: false })
    }

    /// Appends some bytes; those beyond the limit are omitted, with a mark.
    ///
    /// # Errors
    /// When they cannot be written; a mark then stands in their place before what is written next.
    pub fn append(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let written = &mut self.written[stream as usize - 1];
        let before = *written;
        *written += bytes.len() as u64;
        if before > FULL_OUTPUT_LIMIT_BYTES {
            return Ok(());
        }
        let bytes = if *written > FULL_OUTPUT_LIMIT_BYTES { MARK } else { bytes };
        let of = FrameOf { seq: self.seq, started_us: self.started_us, stream };
        let mut frames = if self.has_gap { encode(of, GAP) } else { Vec::new() };
        frames.extend(encode(of, bytes));
        let appended = self.file.write_all(&frames);
        self.has_gap = appended.is_err();
        if appended.is_ok() {
            self.end += frames.len() as u64;
            return Ok(());
        }
        // Where even that fails, the checksums tell readers that there is damage.
        self.file.set_len(self.end).and(appended)
    }
}

/// Makes the files of one lease durable.
#[derive(Debug)]
pub struct SegmentSync {
    dir: PathBuf,
    epoch: i64,
    /// The files of slots that have a durable name.
    named: Mutex<BTreeMap<usize, FileId>>,
}

impl SegmentSync {
    /// Prepares that for files in a directory.
    pub fn new(dir: PathBuf, epoch: i64) -> SegmentSync {
        SegmentSync { dir, epoch, named: Mutex::default() }
    }

    /// Makes durable what was appended in those slots; one in which nothing was is skipped.
    pub fn sync(&self, slots: &BTreeSet<usize>) -> io::Result<()> {
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new = Vec::new();
        for slot in slots {
            match open_file(&self.dir.join(name_of(self.epoch, *slot))) {
                Ok(file) => {
                    file.sync_data()?;
                    let id = id_of(&file)?;
                    if named.get(slot) != Some(&id) {
                        new.push((*slot, id));
                    }
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        if !new.is_empty() {
            sync_dirs(&self.dir)?;
            named.extend(new);
        }
        Ok(())
    }
}

/// What tells a file from one that was made under its name when it had been removed.
type FileId = (u64, Option<SystemTime>);

fn id_of(file: &File) -> io::Result<FileId> {
    let about = file.metadata()?;
    // Numbers are given again; a file system without times of birth is left with them.
    Ok((about.ino(), about.created().ok()))
}

/// Makes durable whatever managers that have died left in a directory.
pub fn sync_segments(dir: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        open_file(&entry?.path())?.sync_data()?;
    }
    sync_dirs(dir)
}

/// Makes the names durable in a directory, its own, and that of the job's directory in which it is.
fn sync_dirs(dir: &Path) -> io::Result<()> {
    let open = |dir| {
        let _opening = opening();
        File::open(dir)
    };
    dir.ancestors().take(3).try_for_each(|dir| open(dir)?.sync_all())
}

/// Opens a file; units can start while it is synced.
fn open_file(path: &Path) -> io::Result<File> {
    let _opening = opening();
    open_private(path, How::Read)
}

/// Reads what all slots have appended, and goes on where it stopped.
#[derive(Debug)]
pub struct SegmentReader {
    dir: PathBuf,
    /// Bytes read of each file, by epoch and slot.
    read: BTreeMap<(i64, usize), u64>,
    /// The file in which frames that were wanted are.
    found: Option<(i64, usize)>,
}

impl SegmentReader {
    /// Prepares to read the files in a directory; nothing is opened.
    pub fn new(dir: PathBuf) -> SegmentReader {
        SegmentReader { dir, read: BTreeMap::new(), found: None }
    }

    /// Reads whole frames that were appended since the last call; `take` gets those that are `wanted`.
    ///
    /// # Errors
    /// When a file cannot be read. With [`ErrorKind::InvalidData`], after what could be read, when the file is damaged in
    /// which frames that are wanted were, or might have been.
    pub fn read_more(&mut self, wanted: FrameOf, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        for place in places_in(&self.dir)? {
            self.read.entry(place).or_insert(0);
        }
        let mut damaged = Vec::new();
        for (place, offset) in &mut self.read {
            let mut frames = Frames::open(&self.dir, place.0, place.1, *offset)?;
            loop {
                let read = match frames.next() {
                    Ok(None) => break,
                    Ok(Some(frame)) if frame.of != wanted => frames.skip(&frame).map(|()| None),
                    Ok(Some(frame)) => {
                        self.found = Some(*place);
                        frames.read(&frame).map(Some)
                    }
                    Err(error) => Err(error),
                };
                match read {
                    Ok(bytes) => bytes.map_or(Ok(()), |bytes| take(&bytes))?,
                    Err(error) if error.kind() == ErrorKind::InvalidData => {
                        damaged.push((*place, error));
                        break;
                    }
                    Err(error) => return Err(error),
                }
                *offset = frames.offset;
            }
        }
        let is_of_wanted = |place: (i64, usize)| self.found.is_none_or(|found| found == place);
        damaged.into_iter().find(|(place, _)| is_of_wanted(*place)).map_or(Ok(()), |(_, error)| Err(error))
    }
}

#[cfg(test)]
mod tests;
