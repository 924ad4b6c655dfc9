//! Reading up to a separator without trusting that it ever comes.

use std::io::{self, BufRead, ErrorKind};

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
