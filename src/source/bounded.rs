//! Reading up to a separator without trusting that it ever comes.

use std::io::{self, BufRead, ErrorKind, Read};

/// Reads into `buffer` up to the next `separator`, which is taken and left out.
///
/// Returns none at the end of the text, and false when the item is longer than `limit`.
pub(super) fn read_bounded(
    reader: &mut impl BufRead,
    separator: u8,
    limit: usize,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<bool>> {
    buffer.clear();
    let mut began = false;
    loop {
        let available = match reader.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if available.is_empty() {
            return Ok(began.then_some(true));
        }
        began = true;
        let end = available.iter().position(|&byte| byte == separator);
        let taken = end.unwrap_or(available.len());
        if buffer.len() + taken > limit {
            return Ok(Some(false));
        }
        buffer.extend_from_slice(&available[..taken]);
        reader.consume(taken + usize::from(end.is_some()));
        if end.is_some() {
            return Ok(Some(true));
        }
    }
}

/// A reader that gives no more than a number of bytes until that number is renewed.
pub(super) struct Bounded<R> {
    inner: R,
    left: usize,
    is_exhausted: bool,
}

impl<R> Bounded<R> {
    pub fn new(inner: R) -> Self {
        Self { inner, left: 0, is_exhausted: false }
    }

    /// Lets so many bytes through from here.
    pub fn renew(&mut self, bytes: usize) {
        self.left = bytes;
    }

    /// Says whether more was asked for than was left.
    pub fn is_exhausted(&self) -> bool {
        self.is_exhausted
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !buffer.is_empty() {
            self.is_exhausted = true;
            return Err(ErrorKind::InvalidData.into());
        }
        let most = buffer.len().min(self.left);
        let read = self.inner.read(&mut buffer[..most])?;
        self.left -= read;
        Ok(read)
    }
}

/// Leaves out the byte order mark that some programs write first.
pub(super) fn skip_mark(reader: &mut impl BufRead) {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    // An error comes again with the first read, which reports it.
    if reader.fill_buf().is_ok_and(|start| start.starts_with(MARK)) {
        reader.consume(MARK.len());
    }
}
