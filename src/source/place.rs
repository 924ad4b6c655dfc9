//! Where items are found.

use std::fmt;
use std::sync::Arc;

/// Where an item was found, for messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A line of a file or of standard input, counted from 1.
    Line(Arc<str>, u64),
    /// An argument of the command line, counted from 1.
    Argument(usize),
    /// An element of a JSON array, counted from 1.
    Element(Arc<str>, u64),
    /// A row that a query returned, counted from 1.
    Row(Arc<str>, u64),
    /// A number of a range.
    Number(u64),
    /// A file that matched a pattern.
    File(String),
    /// The places of the items that make this one.
    Combination(Vec<Place>),
    /// Where that was, in words.
    Told(Arc<str>),
    /// The places of the first and the last of several items.
    Span(Box<(Place, Place)>),
    /// The command itself, which was given no items.
    Command,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(name, line) => write!(f, "{name}:{line}"),
            Self::Argument(number) => write!(f, "argument {number}"),
            Self::Element(name, number) => write!(f, "{name}, element {number}"),
            Self::Row(name, number) => write!(f, "{name}, row {number}"),
            Self::Number(number) => write!(f, "number {number}"),
            Self::File(path) => f.write_str(path),
            Self::Combination(parts) => {
                let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
                f.write_str(&parts.join(" with "))
            }
            Self::Told(words) => f.write_str(words),
            Self::Span(ends) => write!(f, "{} to {}", ends.0, ends.1),
            Self::Command => f.write_str("the command"),
        }
    }
}
