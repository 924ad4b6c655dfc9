//! Finding attempts in the files of a job's output, one after the other, and copying what one of them wrote.
//!
//! A slot runs one unit at a time, so that the frames of an attempt stand together in its file, and the files tell in
//! which order each slot ran its units. An attempt that wrote nothing is not in them.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::frames::{Frame, Frames, Stream, places_in};

/// Where an attempt's output begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptPlace {
    /// Number of the unit.
    pub seq: i64,
    /// Start of the attempt in microseconds since the Unix epoch.
    pub started_us: i64,
    /// Which file.
    pub epoch: i64,
    /// Which file.
    pub slot: usize,
    /// Where in it.
    pub offset: u64,
}

/// Goes through the files of a job's output, attempt by attempt, also while they grow.
#[derive(Debug)]
pub struct AttemptWalk {
    dir: PathBuf,
    files: BTreeMap<(i64, usize), Position>,
}

/// How far a file was walked through.
#[derive(Debug, Default)]
struct Position {
    offset: u64,
    /// Unit and start of the last attempt that was passed: its frames may go on.
    passed: Option<(i64, i64)>,
}

impl AttemptWalk {
    /// Prepares to walk through the files in a directory; nothing is opened.
    pub fn new(dir: PathBuf) -> AttemptWalk {
        AttemptWalk { dir, files: BTreeMap::new() }
    }

    /// Returns for each file the first attempt that was not passed yet.
    pub fn heads(&mut self) -> io::Result<Vec<AttemptPlace>> {
        for place in places_in(&self.dir)? {
            self.files.entry(place).or_default();
        }
        let places: Vec<(i64, usize)> = self.files.keys().copied().collect();
        let mut heads = Vec::new();
        for (epoch, slot) in places {
            heads.extend(self.head(epoch, slot)?);
        }
        Ok(heads)
    }

    /// Passes an attempt, and returns the next one in its file.
    pub fn pass(&mut self, place: AttemptPlace) -> io::Result<Option<AttemptPlace>> {
        let position = self.files.entry((place.epoch, place.slot)).or_default();
        position.passed = Some((place.seq, place.started_us));
        self.head(place.epoch, place.slot)
    }

    fn head(&mut self, epoch: i64, slot: usize) -> io::Result<Option<AttemptPlace>> {
        let position = self.files.entry((epoch, slot)).or_default();
        let mut frames = Frames::open(&self.dir, epoch, slot, position.offset)?;
        while let Some(frame) = until_damage(frames.next())? {
            let (seq, started_us) = (frame.of.seq, frame.of.started_us);
            if position.passed != Some((seq, started_us)) {
                return Ok(Some(AttemptPlace { seq, started_us, epoch, slot, offset: position.offset }));
            }
            frames.skip(&frame)?;
            position.offset = frames.offset;
        }
        Ok(None)
    }
}

/// Takes damage for the end of a file: after a power cut it is where the frames begin of units that were not recorded.
fn until_damage(next: io::Result<Option<Frame>>) -> io::Result<Option<Frame>> {
    match next {
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        next => next,
    }
}

/// Returns what an attempt wrote to both streams, piece by piece, in the order in which it was read.
pub fn attempt_output(
    dir: &Path,
    place: AttemptPlace,
) -> io::Result<impl Iterator<Item = io::Result<(Stream, Vec<u8>)>>> {
    let mut frames = Frames::open(dir, place.epoch, place.slot, place.offset)?;
    Ok(std::iter::from_fn(move || match frames.next() {
        Ok(Some(frame)) if (frame.of.seq, frame.of.started_us) == (place.seq, place.started_us) => {
            Some(frames.read(&frame).map(|bytes| (frame.of.stream, bytes)))
        }
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    }))
}

#[cfg(test)]
mod tests {
    use super::super::SegmentWriter;
    use super::*;
    use crate::files::KeptDir;

    fn written(dir: &Path, place: AttemptPlace) -> String {
        let pieces = attempt_output(dir, place).unwrap().map(Result::unwrap);
        pieces.map(|(stream, bytes)| format!("{stream:?}:{} ", String::from_utf8(bytes).unwrap())).collect()
    }

    #[test]
    fn attempts_are_found_one_after_the_other_and_what_they_go_on_to_write_is_theirs() {
        let dir = tempfile::tempdir().unwrap();
        let kept = KeptDir::at(dir.path().to_owned());
        let mut walk = AttemptWalk::new(dir.path().to_owned());
        assert_eq!(walk.heads().unwrap(), []);
        let mut first = SegmentWriter::open(&kept, 1, 0, 7, 1).unwrap();
        first.append(Stream::Out, b"seven").unwrap();
        first.append(Stream::Err, b"oops").unwrap();
        SegmentWriter::open(&kept, 1, 1, 8, 2).unwrap().append(Stream::Out, b"eight").unwrap();

        let heads = walk.heads().unwrap();
        assert_eq!(heads.iter().map(|place| place.seq).collect::<Vec<_>>(), [7, 8]);
        assert_eq!(written(dir.path(), heads[0]), "Out:seven Err:oops ");
        assert_eq!(walk.pass(heads[0]).unwrap(), None);
        first.append(Stream::Out, b"more").unwrap();
        SegmentWriter::open(&kept, 1, 0, 9, 3).unwrap().append(Stream::Out, b"nine").unwrap();

        let heads = walk.heads().unwrap();
        assert_eq!(heads.iter().map(|place| place.seq).collect::<Vec<_>>(), [9, 8]);
        assert_eq!(written(dir.path(), heads[0]), "Out:nine ");
    }
}
