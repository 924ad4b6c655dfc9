//! How the ends of units lie in a file, in this version and in those before it.
//!
//! A record is a mark with the version, the length and the checksum of what follows, and a JSON document. After the last one
//! stands [`END`], written together with it, so that nothing can be damaged without a trace. Files of versions before this one
//! had no such end: there, what is no record may be left over from a longer file, and ends the records without an error unless
//! it is the first.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::ops::Range;
use std::path::Path;

/// Ending of the files' names, which tells them from those of other versions.
pub(super) const ENDING: &str = ".3";
/// Mark, length and checksum of a record.
pub(super) const HEADER_BYTES: usize = 12;
/// Stands in the place of a mark where there is no further record.
pub(super) const END: [u8; 4] = [0; 4];
const MARK: u32 = u32::from_le_bytes(*b"end3");
/// Mark, round, length and checksum in version 2.
const SECOND_HEADER_BYTES: usize = 16;
const SECOND_MARK: u32 = u32::from_le_bytes(*b"end2");
/// Length and checksum in version 1.
const FIRST_HEADER_BYTES: usize = 16;

const CUT_OFF: &str = "it is cut off";
const DAMAGED: &str = "its checksum is another";
const NO_MARK: &str = "no record of a version that is known begins there";

/// Makes the last record of a file from room for the header and a document after it.
pub(super) fn seal(bytes: &mut Vec<u8>) -> io::Result<()> {
    let json = &bytes[HEADER_BYTES..];
    let length = u32::try_from(json.len()).map_err(io::Error::other)?;
    let header = [MARK, length, crc32fast::hash(json)];
    for (place, number) in bytes.chunks_exact_mut(4).zip(header) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    bytes.extend(END);
    Ok(())
}

/// Returns where the document of the record lies that begins at a place of a file, if one does.
///
/// # Errors
/// What is wrong with it.
pub(super) fn record_at(path: &Path, bytes: &[u8], at: usize) -> Result<Option<Range<usize>>, &'static str> {
    match path.extension().and_then(|ending| ending.to_str()) {
        _ if bytes.is_empty() => Ok(None),
        None => first(bytes, at),
        Some("2") => second(bytes, at),
        Some("3") => third(bytes, at),
        Some(_) => Err("its file is of a version that is not known"),
    }
}

fn third(bytes: &[u8], at: usize) -> Result<Option<Range<usize>>, &'static str> {
    if bytes[at..].first_chunk() == Some(&END) {
        return Ok(None);
    }
    let [mark, length, sum] = numbers(bytes, at).ok_or(CUT_OFF)?;
    if mark != MARK {
        return Err(NO_MARK);
    }
    let document = range(bytes, at + HEADER_BYTES, length.into()).ok_or(CUT_OFF)?;
    if crc32fast::hash(&bytes[document.clone()]) == sum { Ok(Some(document)) } else { Err(DAMAGED) }
}

fn second(bytes: &[u8], at: usize) -> Result<Option<Range<usize>>, &'static str> {
    let first_round = numbers(bytes, 0).map(|[_, round]: [u32; 2]| round);
    let Some([_, round, length, sum]) =
        numbers(bytes, at).filter(|[mark, round, _, _]| *mark == SECOND_MARK && Some(*round) == first_round)
    else {
        return if at == 0 { Err(NO_MARK) } else { Ok(None) };
    };
    let document = range(bytes, at + SECOND_HEADER_BYTES, length.into()).ok_or(CUT_OFF)?;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&round.to_le_bytes());
    hasher.update(&bytes[document.clone()]);
    if hasher.finalize() == sum { Ok(Some(document)) } else { Err(DAMAGED) }
}

fn first(bytes: &[u8], at: usize) -> Result<Option<Range<usize>>, &'static str> {
    let word = |[low, high]: [u32; 2]| u64::from(high) << 32 | u64::from(low);
    let header = numbers(bytes, at).zip(numbers(bytes, at + FIRST_HEADER_BYTES / 2));
    let found = header.and_then(|(length, sum)| {
        let document = range(bytes, at + FIRST_HEADER_BYTES, word(length))?;
        let mut hasher = DefaultHasher::new();
        bytes[document.clone()].hash(&mut hasher);
        (hasher.finish() == word(sum)).then_some(document)
    });
    if at == 0 && found.is_none() { Err(DAMAGED) } else { Ok(found) }
}

/// Reads numbers of four bytes at a place.
fn numbers<const N: usize>(bytes: &[u8], at: usize) -> Option<[u32; N]> {
    let (places, _) = bytes.get(at..)?.as_chunks();
    let places: &[[u8; 4]; N] = places.first_chunk()?;
    Some(places.map(u32::from_le_bytes))
}

/// Returns so many bytes from a place on, if there are so many.
fn range(bytes: &[u8], from: usize, length: u64) -> Option<Range<usize>> {
    let end = from.checked_add(usize::try_from(length).ok()?)?;
    (end <= bytes.len()).then_some(from..end)
}
