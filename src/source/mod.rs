//! Where units come from: lines, commands, CSV, JSON, globs, ranges, rows and arguments, as streams of payloads.
//!
//! A source reads as far as it is asked and holds one item, so that ten million lines need no more memory than one.
//! Every error names the place it was found at, and ends the stream. A source knows nothing of commands and jobs.

mod bounded;
mod commands;
mod csv;
mod depth;
mod error;
mod glob;
mod item;
mod json;
mod jsonl;
mod lines;
mod pushed;
mod range;
mod rows;

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

pub use commands::commands;
pub use csv::{CsvOptions, csv};
pub use depth::MAX_JSON_DEPTH;
pub use error::SourceError;
#[cfg(feature = "mcp")]
pub use glob::pattern_below;
pub use glob::{GlobOptions, glob};
pub use item::{Item, Items, Place, arguments, in_turn, once};
pub use json::{WHOLE_DOCUMENT, json};
pub use jsonl::jsonl;
pub use lines::{Separator, lines};
#[cfg(feature = "mcp")]
pub use range::RangeError;
pub use range::{Range, range};
pub use rows::rows;

/// Longest item, in bytes.
pub const MAX_ITEM_BYTES: usize = 16 << 20;

/// Opens a file to read items from.
pub fn open_file(path: &Path) -> Result<BufReader<File>, SourceError> {
    const BUFFER_BYTES: usize = 256 * 1024;
    let unreadable = |source| SourceError::Unreadable { name: path.display().to_string(), source };
    let file = File::open(path).map_err(unreadable)?;
    // A directory opens and cannot be read; said here it is said before anything is created.
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(unreadable(std::io::ErrorKind::IsADirectory.into()));
    }
    Ok(BufReader::with_capacity(BUFFER_BYTES, file))
}
