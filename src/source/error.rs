//! What can be wrong with a source.

use std::io;
use std::path::PathBuf;

use super::{PatternError, Place};

/// A source that cannot be read to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// It cannot be opened or read.
    #[error("cannot read {name}")]
    Unreadable {
        /// Name of the source.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// There is no regular file.
    #[error("no file {}", path.display())]
    NoFile {
        /// Where it should be.
        path: PathBuf,
    },
    /// A database cannot be opened.
    #[error(transparent)]
    Database(Box<dyn std::error::Error + Send + Sync>),
    /// An item is larger than allowed.
    #[error("{place}: an item may have {limit} bytes at the most")]
    TooLong {
        /// Where.
        place: Place,
        /// The bound.
        limit: usize,
    },
    /// An item is not text.
    #[error("{place}: not valid UTF-8")]
    NotUtf8 {
        /// Where.
        place: Place,
    },
    /// A line is not a JSON document.
    #[error("{place}: not a JSON document, column {column}")]
    NotJson {
        /// Where.
        place: Place,
        /// Where in the line, counted from 1.
        column: usize,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A payload nests deeper than allowed.
    #[error("{place}: a JSON document may nest {limit} levels deep at the most")]
    TooDeep {
        /// Where.
        place: Place,
        /// The bound.
        limit: usize,
    },
    /// A JSON document has something else where the array should be.
    #[error("{place}: cannot find the array at {path:?}, column {column}")]
    NoArrayHere {
        /// Where.
        place: Place,
        /// Path of the array.
        path: String,
        /// Where in the line, counted from 1.
        column: usize,
        /// What is there.
        source: serde_json::Error,
    },
    /// A JSON document has no array at the path.
    #[error("{name}: nothing is at {path:?}, --path names the fields that lead to the array, `.` the document itself")]
    NoArray {
        /// Name of the source.
        name: String,
        /// Path of the array.
        path: String,
    },
    /// A row of a query cannot be read, or cannot be a payload.
    #[error("{place}: cannot take the row")]
    Row {
        /// Where.
        place: Place,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A record is not well-formed CSV.
    #[error("{place}: not a well-formed record")]
    NotCsv {
        /// Where.
        place: Place,
        /// What is wrong.
        source: csv::Error,
    },
    /// A record has more or fewer fields than the first one.
    #[error("{place}: {found} fields instead of {expected}")]
    FieldCount {
        /// Where.
        place: Place,
        /// How many there are.
        found: u64,
        /// How many there should be.
        expected: u64,
    },
    /// A CSV header names no field, or one twice.
    #[error("{place}: the header has {}", if field.is_empty() { "an empty name".to_owned() } else { format!("the name {field:?} twice") })]
    Header {
        /// Where.
        place: Place,
        /// The name.
        field: String,
    },
    /// A list that is combined with others has no items.
    #[error("{name} has no items")]
    EmptyList {
        /// Name of the list.
        name: String,
    },
    /// Lists that are paired have different lengths.
    #[error("lists that are paired must have as many items as each other: {lengths}")]
    UnequalLists {
        /// Each list with its length.
        lengths: String,
    },
    /// An item cannot be a unit of the job.
    #[error("{place}: cannot be a unit of this job")]
    Unfit {
        /// Where.
        place: Place,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A pattern is malformed.
    #[error("invalid pattern {pattern:?}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong.
        source: PatternError,
    },
}
