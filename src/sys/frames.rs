//! The form of the files that hold the whole output of units: rows of frames, each with the unit and the stream it is from.
//!
//! A frame has a checksum of its header and one of its bytes, which tell damage from the end of a file that its writer did
//! not come to finish. Files of the form before, whose frames have none, are still read; a form that is not known here is
//! refused with the file's name.

use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::files::{How, explain_denied, open_private};

/// Bytes that say what a frame is from and how long it is.
const HEAD_BYTES: usize = 21;
/// A checksum.
const SUM_BYTES: usize = 4;

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

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Without checksums.
    Plain,
    /// With them.
    Checked,
}

/// Each form with the ending of its files' names, the present one first.
const FORMS: [(&str, Form); 2] = [("3", Form::Checked), ("2", Form::Plain)];

/// A header that was read; its frame is then to be read or skipped.
pub(super) struct Frame {
    pub of: FrameOf,
    length: u32,
    /// Checksum of its bytes.
    sum: Option<u32>,
}

/// The whole frames of a file from an offset on, as far as it reaches when it is opened.
pub(super) struct Frames {
    reader: BufReader<File>,
    form: Form,
    path: PathBuf,
    /// Where the next frame begins.
    pub offset: u64,
    end: u64,
}

impl Frames {
    pub fn open(dir: &Path, epoch: i64, slot: usize, offset: u64) -> io::Result<Frames> {
        let mut missing = io::Error::from(ErrorKind::NotFound);
        for (ending, form) in FORMS {
            let path = dir.join(format!("{epoch}.{slot}.{ending}"));
            match open_private(&path, How::Read) {
                Ok(file) => {
                    let end = file.metadata()?.len();
                    let mut reader = BufReader::new(file);
                    reader.seek(SeekFrom::Start(offset))?;
                    return Ok(Frames { reader, form, path, offset, end });
                }
                Err(error) if error.kind() == ErrorKind::NotFound => missing = error,
                Err(error) => return Err(error),
            }
        }
        Err(missing)
    }

    /// Reads the next header, if its frame is whole.
    ///
    /// # Errors
    /// With [`ErrorKind::InvalidData`] when it is damaged.
    pub fn next(&mut self) -> io::Result<Option<Frame>> {
        let left = self.end.saturating_sub(self.offset);
        if left < self.header_bytes() {
            return Ok(None);
        }
        let mut head = [0; HEAD_BYTES];
        self.reader.read_exact(&mut head)?;
        let sum = match self.form {
            Form::Plain => None,
            Form::Checked => {
                let (of_head, of_bytes) = (self.read_sum()?, self.read_sum()?);
                if crc32fast::hash(&head) != of_head {
                    return Err(self.damaged());
                }
                Some(of_bytes)
            }
        };
        let frame = parse(&head, sum);
        Ok((left >= self.bytes(&frame)).then_some(frame))
    }

    pub fn skip(&mut self, frame: &Frame) -> io::Result<()> {
        self.reader.seek_relative(i64::from(frame.length))?;
        self.offset += self.bytes(frame);
        Ok(())
    }

    /// Reads the bytes of a frame.
    ///
    /// # Errors
    /// With [`ErrorKind::InvalidData`] when they are damaged.
    pub fn read(&mut self, frame: &Frame) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(frame.length).unwrap_or(usize::MAX)];
        self.reader.read_exact(&mut bytes)?;
        if frame.sum.is_some_and(|sum| crc32fast::hash(&bytes) != sum) {
            return Err(self.damaged());
        }
        self.offset += self.bytes(frame);
        Ok(bytes)
    }

    fn read_sum(&mut self) -> io::Result<u32> {
        let mut sum = [0; SUM_BYTES];
        self.reader.read_exact(&mut sum)?;
        Ok(u32::from_le_bytes(sum))
    }

    fn header_bytes(&self) -> u64 {
        let sums = if self.form == Form::Checked { 2 * SUM_BYTES } else { 0 };
        (HEAD_BYTES + sums) as u64
    }

    /// Returns the length of a frame with its header.
    fn bytes(&self, frame: &Frame) -> u64 {
        self.header_bytes() + u64::from(frame.length)
    }

    fn damaged(&self) -> io::Error {
        invalid(format!("{} is damaged at byte {}", self.path.display(), self.offset))
    }
}

/// Returns a frame as it is written.
pub(super) fn encode(of: FrameOf, bytes: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(HEAD_BYTES + 2 * SUM_BYTES + bytes.len());
    frame.extend_from_slice(&of.seq.to_le_bytes());
    frame.extend_from_slice(&of.started_us.to_le_bytes());
    frame.push(of.stream as u8);
    frame.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
    let of_head = crc32fast::hash(&frame);
    frame.extend_from_slice(&of_head.to_le_bytes());
    frame.extend_from_slice(&crc32fast::hash(bytes).to_le_bytes());
    frame.extend_from_slice(bytes);
    frame
}

fn parse(head: &[u8; HEAD_BYTES], sum: Option<u32>) -> Frame {
    let (seq, rest) = head.split_at(8);
    let (started_us, rest) = rest.split_at(8);
    let (stream, length) = rest.split_at(1);
    let number = |bytes: &[u8]| bytes.try_into().map(i64::from_le_bytes).unwrap_or_default();
    let length = length.try_into().map(u32::from_le_bytes).unwrap_or_default();
    let stream = if stream == [Stream::Err as u8] { Stream::Err } else { Stream::Out };
    Frame { of: FrameOf { seq: number(seq), started_us: number(started_us), stream }, length, sum }
}

/// Returns epoch and slot of every file in a directory; none when there is no directory.
///
/// # Errors
/// With [`ErrorKind::InvalidData`] when there is a file of a form that is not known here.
pub(super) fn places_in(dir: &Path) -> io::Result<Vec<(i64, usize)>> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(explain_denied(dir, error)),
    };
    let mut places = Vec::new();
    for entry in entries {
        let entry = entry?;
        let Some((epoch, slot, ending)) = entry.file_name().to_str().and_then(place_of) else { continue };
        if !FORMS.iter().any(|(known, _)| *known == ending) {
            return Err(invalid(format!("{} is of a version that is not known here", entry.path().display())));
        }
        places.push((epoch, slot));
    }
    Ok(places)
}

/// Names a file of the present form.
pub(super) fn name_of(epoch: i64, slot: usize) -> String {
    let (ending, _) = FORMS[0];
    format!("{epoch}.{slot}.{ending}")
}

fn place_of(name: &str) -> Option<(i64, usize, String)> {
    let (place, ending) = name.rsplit_once('.')?;
    let (epoch, slot) = place.split_once('.')?;
    Some((epoch.parse().ok()?, slot.parse().ok()?, ending.to_owned()))
}

fn invalid(message: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, message)
}
