//! The frames of all files of whole output, as they grow: what every running unit writes, for somebody who looks on.
//!
//! Frames of one file come in the order in which they were written; those of several files file by file. A file is read up to
//! its first damage.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::PathBuf;

use super::frames::{FrameOf, Frames, places_in};

/// Reads what was appended to the files of a directory since the last look.
#[derive(Debug)]
pub struct FrameWalk {
    dir: PathBuf,
    /// How far each file was read, by epoch and slot.
    read: BTreeMap<(i64, usize), u64>,
}

impl FrameWalk {
    /// Begins at the beginning of the files in `dir`, which need not be there yet.
    pub fn new(dir: PathBuf) -> FrameWalk {
        FrameWalk { dir, read: BTreeMap::new() }
    }

    /// Gives `take` what is new of the attempts that `is_wanted` names.
    ///
    /// # Errors
    /// When the files cannot be read, and what `take` says.
    pub fn read_more<E: From<io::Error>>(
        &mut self,
        is_wanted: impl Fn(FrameOf) -> bool,
        mut take: impl FnMut(FrameOf, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        for place in places_in(&self.dir)? {
            self.read.entry(place).or_insert(0);
        }
        for ((epoch, slot), offset) in &mut self.read {
            let mut frames = Frames::open(&self.dir, *epoch, *slot, *offset)?;
            loop {
                let frame = match frames.next() {
                    Ok(Some(frame)) => frame,
                    Ok(None) => break,
                    Err(error) if error.kind() == ErrorKind::InvalidData => break,
                    Err(error) => return Err(error.into()),
                };
                if is_wanted(frame.of) {
                    match frames.read(&frame) {
                        Ok(bytes) => take(frame.of, &bytes)?,
                        Err(error) if error.kind() == ErrorKind::InvalidData => break,
                        Err(error) => return Err(error.into()),
                    }
                } else {
                    frames.skip(&frame)?;
                }
                *offset = frames.offset;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SegmentWriter, Stream};
    use super::*;
    use crate::files::KeptDir;

    fn news(walk: &mut FrameWalk, wanted: &[i64]) -> String {
        let mut news = String::new();
        let read = walk.read_more(
            |of| wanted.contains(&of.seq),
            |of, bytes| {
                news.push_str(&format!("{}:{} ", of.seq, String::from_utf8_lossy(bytes)));
                Ok::<_, io::Error>(())
            },
        );
        read.unwrap();
        news
    }

    #[test]
    fn what_several_attempts_append_is_read_once_and_what_is_not_wanted_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let kept = KeptDir::at(dir.path().to_owned());
        let mut walk = FrameWalk::new(dir.path().to_owned());
        assert_eq!(news(&mut walk, &[1]), "");
        SegmentWriter::open(&kept, 1, 0, 1, 1).unwrap().append(Stream::Out, b"over").unwrap();
        let mut two = SegmentWriter::open(&kept, 1, 0, 2, 2).unwrap();
        let mut three = SegmentWriter::open(&kept, 1, 1, 3, 3).unwrap();
        two.append(Stream::Out, b"a").unwrap();
        three.append(Stream::Err, b"b").unwrap();

        assert_eq!(news(&mut walk, &[2, 3]), "2:a 3:b ");
        assert_eq!(news(&mut walk, &[2, 3]), "");
        two.append(Stream::Out, b"c").unwrap();
        assert_eq!(news(&mut walk, &[1, 2, 3]), "2:c ");
    }
}
