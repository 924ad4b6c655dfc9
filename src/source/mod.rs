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
mod input;
mod item;
mod json;
mod jsonl;
mod lines;
mod notes;
#[cfg(test)]
mod oracle;
mod place;
mod product;
mod pushed;
mod range;
mod rows;
mod text;
mod utf8;

pub use commands::commands;
pub use csv::{CsvOptions, csv};
pub use depth::MAX_JSON_DEPTH;
pub use error::SourceError;
pub use glob::{GlobOptions, PatternError, glob};
pub use input::{Input, InputFile};
pub use item::{Item, Items, arguments, in_turn, once};
pub use json::{WHOLE_DOCUMENT, json};
pub use jsonl::jsonl;
pub use lines::{Separator, lines};
pub use notes::{Counter, Notes};
pub use place::Place;
pub use product::{List, product};
pub use range::RangeError;
pub use range::{Range, range};
pub use rows::rows;

/// Longest item, in bytes.
pub const MAX_ITEM_BYTES: usize = 16 << 20;
