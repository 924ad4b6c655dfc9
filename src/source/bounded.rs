//! Reading up to a separator without trusting that it ever comes.

use std::io::{self, BufRead, ErrorKind};

/// What was found up to a separator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing: the text has ended.
    End,
    /// A piece, and whether a separator followed or the end of the text.
    Piece { is_ended: bool },
    /// More than the limit.
    TooLong,
}

/// Appends what comes before the next `separator`, which is taken and not kept; the buffer never exceeds `limit` bytes.
pub(super) fn read_bounded(
    reader: &mut impl BufRead,
    separator: u8,
    limit: usize,
    buffer: &mut Vec<u8>,
) -> io::Result<Found> {
    let mut found = Found::End;
    loop {
        let available = match reader.fill_buf() {
            Ok(available) => available,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if available.is_empty() {
            return Ok(found);
        }
        let end = find(available, separator);
        found = Found::Piece { is_ended: end.is_some() };
        let taken = end.unwrap_or(available.len());
        if buffer.len() + taken > limit {
            return Ok(Found::TooLong);
        }
        buffer.extend_from_slice(&available[..taken]);
        reader.consume(taken + usize::from(end.is_some()));
        if end.is_some() {
            return Ok(found);
        }
    }
}

/// Returns where a byte is; where it is not, a slice tells so much faster than an iterator.
pub(super) fn find(bytes: &[u8], byte: u8) -> Option<usize> {
    if bytes.contains(&byte) { bytes.iter().position(|&other| other == byte) } else { None }
}
