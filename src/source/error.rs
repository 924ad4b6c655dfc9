//! What can be wrong with a source.

use std::io;
use std::path::PathBuf;

use super::{Notes, PatternError, Place};
use crate::model::{ErrorKind, JsonError, counted};

/// A source that cannot be read to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// It cannot be opened or read.
    #[error("cannot read {name}")]
    Unreadable {
        /// Name of the source.
        name: String,
        /// The cause.
        source: io::Error,
    },
    /// There is no regular file.
    #[error("no file {}", path.display())]
    NoFile {
        /// Where it should be.
        path: PathBuf,
    },
    /// What it found is none of what may be used.
    #[error("{} is outside of what may be used", path.display())]
    Outside {
        /// What it found.
        path: PathBuf,
    },
    /// A database cannot be opened.
    #[error(transparent)]
    Database(Box<dyn std::error::Error + Send + Sync>),
    /// It is not a text in UTF-8.
    #[error("{name} is {what}, {remedy}")]
    NoText {
        /// Name of the source.
        name: String,
        /// What it is.
        what: &'static str,
        /// How it becomes text.
        remedy: &'static str,
    },
    /// A text has a NUL byte.
    #[error("{place}: a NUL byte at byte {byte}")]
    Nul {
        /// The place in the input.
        place: Place,
        /// Where in the line, counted from 1.
        byte: u64,
    },
    /// A text that must be UTF-8 is not.
    #[error("{place}: not valid UTF-8 at byte {byte}, convert the text first, e.g. with iconv -f LATIN1 -t UTF-8")]
    NotUtf8 {
        /// The place in the input.
        place: Place,
        /// Where in the line, counted from 1.
        byte: u64,
    },
    /// Items should end with NUL, and none does.
    #[error("{name} has lines and no NUL")]
    NoNul {
        /// Name of the source.
        name: String,
    },
    /// A command has its end in the next line.
    #[error("{place}: the command goes on in the next line")]
    CommandGoesOn {
        /// The place in the input.
        place: Place,
    },
    /// There is not one item.
    #[error("no units: {reasons}")]
    Empty {
        /// What is empty.
        reasons: String,
    },
    /// An item is larger than allowed.
    #[error("{place}: an item may have at most {limit} bytes")]
    TooLong {
        /// The place in the input.
        place: Place,
        /// The bound.
        limit: usize,
    },
    /// A line is not a JSON document, or one that readers do not agree about.
    #[error("{place}: not a JSON document{}", at_column(*column))]
    NotJson {
        /// The place in the input.
        place: Place,
        /// Where in the line, counted from 1.
        column: usize,
        /// What is wrong.
        source: JsonError,
    },
    /// An element of an array is a document that readers do not agree about.
    #[error("{place}: not a JSON document that everybody reads alike")]
    Ambiguous {
        /// The place in the input.
        place: Place,
        /// What is wrong.
        source: JsonError,
    },
    /// A text that should have a document per line has a document of several lines.
    #[error("{place}: the document goes on in the next line")]
    DocumentGoesOn {
        /// The place in the input.
        place: Place,
    },
    /// A text that should have a document per line is one array.
    #[error("{place}: one array and not one document per line")]
    OneArray {
        /// The place in the input.
        place: Place,
    },
    /// Something follows a JSON document.
    #[error("{place}: text after the document{}", at_column(*column))]
    AfterDocument {
        /// The place in the input.
        place: Place,
        /// Where in the line, counted from 1.
        column: usize,
    },
    /// A payload nests deeper than allowed.
    #[error("{place}: a JSON document may nest at most {limit} levels deep")]
    TooDeep {
        /// The place in the input.
        place: Place,
        /// The bound.
        limit: usize,
    },
    /// A JSON document has something else where the array should be.
    #[error("{place}: cannot find the array at {path:?}{}", at_column(*column))]
    NoArrayHere {
        /// The place in the input.
        place: Place,
        /// Path of the array.
        path: String,
        /// Where in the line, counted from 1.
        column: usize,
        /// What is there.
        source: JsonError,
    },
    /// A JSON document has no array at the path.
    #[error("{name}: nothing is at {path:?}")]
    NoArray {
        /// Name of the source.
        name: String,
        /// Path of the array.
        path: String,
    },
    /// A row of a query cannot be read, or cannot be a payload.
    #[error("{place}: cannot take the row")]
    Row {
        /// The place in the input.
        place: Place,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A quote of a CSV file has no end.
    #[error("{place}: the quote that opens a field here is never closed")]
    Unclosed {
        /// Where it begins.
        place: Place,
    },
    /// A field of a CSV file goes on after its closing quote.
    #[error(
        "{place}: text after a closing quote at byte {byte} (opened on line {opened}), write a quote inside a field twice"
    )]
    AfterQuote {
        /// The place in the input.
        place: Place,
        /// Where in the line, counted from 1.
        byte: usize,
        /// Line of the opening quote.
        opened: u64,
    },
    /// A field of a CSV file that does not begin with a quote holds one.
    #[error("{place}: a quote inside a field at byte {byte}, quote the whole field and write the quote twice")]
    QuoteInside {
        /// The place in the input.
        place: Place,
        /// Where in the line, counted from 1.
        byte: usize,
    },
    /// A line ends as old machines end it, or a field without quotes holds such an end.
    #[error("{place}: a carriage return without a line break, convert the line ends first, e.g. with tr '\\r' '\\n'")]
    CarriageReturn {
        /// The place in the input.
        place: Place,
    },
    /// A record has more or fewer fields than the first one.
    #[error("{place}: {} instead of {expected}", counted(*found as u64, "field"))]
    FieldCount {
        /// The place in the input.
        place: Place,
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A CSV header has a name twice.
    #[error("{place}: the header has the name {field:?} twice")]
    Header {
        /// The place in the input.
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
        /// The place in the input.
        place: Place,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A CSV file begins with a line for Excel.
    #[error("{place}: this line tells Excel the delimiter, remove it")]
    DelimiterLine {
        /// The place in the input.
        place: Place,
        /// What it says.
        delimiter: String,
    },
    /// The header of a CSV file is one field that looks like several.
    #[error("{place}: the header is one field with {delimiter} in it")]
    OtherDelimiter {
        /// The place in the input.
        place: Place,
        /// What seems to separate fields.
        delimiter: String,
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

impl SourceError {
    /// Returns what kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Empty { .. } | Self::EmptyList { .. } => ErrorKind::NotFound,
            _ => ErrorKind::InvalidInput,
        }
    }

    /// Returns that there is not one item, with what was noted of the sources.
    pub fn empty(notes: &Notes) -> SourceError {
        let mut reasons = notes.texts();
        if reasons.is_empty() {
            reasons.push("nothing is left of the sources".to_owned());
        }
        SourceError::Empty { reasons: reasons.join("; ") }
    }
}

/// Names a column, unless it is that of the line's end.
fn at_column(column: usize) -> String {
    if column == 0 { String::new() } else { format!(", column {column}") }
}
