//! The whole output of units, in files that are only ever appended to: one for each worker slot and reign.
//!
//! A file is a row of frames, each with the unit and the stream it is from. A frame is written by one call; a death in
//! the middle of one can only leave a torn frame at the end of a file that nobody goes on with.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Bytes kept of one stream of one attempt.
pub const FULL_OUTPUT_LIMIT_BYTES: u64 = 1 << 30;
pub(super) const HEADER_BYTES: usize = 21;
const MARK: &[u8] = b"\n[... the rest is omitted ...]\n";

/// One of the two streams of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out = 1,
    /// Standard error.
    Err = 2,
}

/// What a frame is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameOf {
    /// Number of the unit.
    pub seq: i64,
    /// Start of the attempt in microseconds since the Unix epoch: its number may come again, after a retry or a crash.
    pub started_us: i64,
    /// The stream.
    pub stream: Stream,
}

/// Appends the output of one attempt.
#[derive(Debug)]
pub struct SegmentWriter {
    file: File,
    seq: i64,
    started_us: i64,
    written: [u64; 2],
}

impl SegmentWriter {
    /// Opens the file of a slot for one attempt; the directory is made if there is none.
    pub fn open(dir: &Path, epoch: i64, slot: usize, seq: i64, started_us: i64) -> io::Result<SegmentWriter> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(dir.join(name_of(epoch, slot)))?;
        Ok(SegmentWriter { file, seq, started_us, written: [0; 2] })
    }

    /// Appends some bytes; those beyond the limit are omitted, with a mark.
    pub fn append(&mut self, stream: Stream, bytes: &[u8]) -> io::Result<()> {
        let written = &mut self.written[stream as usize - 1];
        let before = *written;
        *written += bytes.len() as u64;
        if before > FULL_OUTPUT_LIMIT_BYTES {
            return Ok(());
        }
        let bytes = if *written > FULL_OUTPUT_LIMIT_BYTES { MARK } else { bytes };
        let mut frame = Vec::with_capacity(HEADER_BYTES + bytes.len());
        frame.extend_from_slice(&self.seq.to_le_bytes());
        frame.extend_from_slice(&self.started_us.to_le_bytes());
        frame.push(stream as u8);
        frame.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        frame.extend_from_slice(bytes);
        self.file.write_all(&frame)
    }
}

/// Reads what all slots have appended, and goes on where it stopped.
#[derive(Debug)]
pub struct SegmentReader {
    dir: PathBuf,
    /// Bytes read of each file, by epoch and slot.
    read: BTreeMap<(i64, usize), u64>,
}

impl SegmentReader {
    /// Prepares to read the files in a directory; nothing is opened.
    pub fn new(dir: PathBuf) -> SegmentReader {
        SegmentReader { dir, read: BTreeMap::new() }
    }

    /// Reads whole frames that were appended since the last call; `take` gets those that are `wanted`.
    pub fn read_more(&mut self, wanted: FrameOf, mut take: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        for place in places_in(&self.dir)? {
            self.read.entry(place).or_insert(0);
        }
        for ((epoch, slot), offset) in &mut self.read {
            let file = File::open(self.dir.join(name_of(*epoch, *slot)))?;
            let end = file.metadata()?.len();
            let mut reader = BufReader::new(file);
            reader.seek(SeekFrom::Start(*offset))?;
            while let Some((frame, length)) = next_header(&mut reader, end - *offset)? {
                if frame == wanted {
                    let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
                    reader.read_exact(&mut bytes)?;
                    take(&bytes)?;
                } else {
                    reader.seek_relative(i64::from(length))?;
                }
                *offset += HEADER_BYTES as u64 + u64::from(length);
            }
        }
        Ok(())
    }
}

/// Returns epoch and slot of every file in a directory; none when there is no directory.
pub(super) fn places_in(dir: &Path) -> io::Result<Vec<(i64, usize)>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut places = Vec::new();
    for entry in entries {
        places.extend(entry?.file_name().to_str().and_then(place_of));
    }
    Ok(places)
}

/// Names a file; its ending is that of the present form of frames.
pub(super) fn name_of(epoch: i64, slot: usize) -> String {
    format!("{epoch}.{slot}.2")
}

fn place_of(name: &str) -> Option<(i64, usize)> {
    let (epoch, slot) = name.strip_suffix(".2")?.split_once('.')?;
    Some((epoch.parse().ok()?, slot.parse().ok()?))
}

/// Reads a header, if it and its frame are whole within `left` bytes.
pub(super) fn next_header(reader: &mut impl Read, left: u64) -> io::Result<Option<(FrameOf, u32)>> {
    if left < HEADER_BYTES as u64 {
        return Ok(None);
    }
    let mut header = [0; HEADER_BYTES];
    reader.read_exact(&mut header)?;
    let (seq, rest) = header.split_at(8);
    let (started_us, rest) = rest.split_at(8);
    let (stream, length) = rest.split_at(1);
    let number = |bytes: &[u8]| bytes.try_into().map(i64::from_le_bytes).unwrap_or_default();
    let length = length.try_into().map(u32::from_le_bytes).unwrap_or_default();
    if left < HEADER_BYTES as u64 + u64::from(length) {
        return Ok(None);
    }
    let stream = if stream == [Stream::Err as u8] { Stream::Err } else { Stream::Out };
    Ok(Some((FrameOf { seq: number(seq), started_us: number(started_us), stream }, length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reader: &mut SegmentReader, seq: i64, stream: Stream) -> String {
        let mut all = Vec::new();
        reader.read_more(FrameOf { seq, started_us: 1, stream }, |bytes| all.write_all(bytes)).unwrap();
        String::from_utf8(all).unwrap()
    }

    #[test]
    fn each_unit_finds_its_own_output_again_and_what_was_added_since() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = SegmentWriter::open(dir.path(), 1, 0, 7, 1).unwrap();
        first.append(Stream::Out, b"seven ").unwrap();
        first.append(Stream::Err, b"oops").unwrap();
        SegmentWriter::open(dir.path(), 1, 1, 8, 1).unwrap().append(Stream::Out, b"eight").unwrap();
        let mut reader = SegmentReader::new(dir.path().to_owned());

        assert_eq!(read(&mut reader, 7, Stream::Out), "seven ");
        first.append(Stream::Out, b"more").unwrap();

        assert_eq!(read(&mut reader, 7, Stream::Out), "more");
        assert_eq!(read(&mut SegmentReader::new(dir.path().to_owned()), 7, Stream::Err), "oops");
        assert_eq!(read(&mut SegmentReader::new(dir.path().join("none")), 7, Stream::Out), "");
    }

    #[test]
    fn an_attempt_that_bears_the_number_of_an_earlier_one_has_its_own_output() {
        let dir = tempfile::tempdir().unwrap();
        for (epoch, slot, started_us) in [(1, 3, 5), (1, 0, 1), (2, 0, 6)] {
            let mut writer = SegmentWriter::open(dir.path(), epoch, slot, 7, started_us).unwrap();
            writer.append(Stream::Out, started_us.to_string().as_bytes()).unwrap();
        }

        assert_eq!(read(&mut SegmentReader::new(dir.path().to_owned()), 7, Stream::Out), "1");
    }

    #[test]
    fn a_torn_frame_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = SegmentWriter::open(dir.path(), 1, 0, 7, 1).unwrap();
        writer.append(Stream::Out, b"whole").unwrap();
        writer.append(Stream::Out, b"torn").unwrap();
        let path = dir.path().join(name_of(1, 0));
        let whole = fs::read(&path).unwrap();

        for length in HEADER_BYTES + 5..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(read(&mut SegmentReader::new(dir.path().to_owned()), 7, Stream::Out), "whole");
        }
    }
}
