//! Items and where they come from.

use std::ffi::OsString;
use std::fmt;
use std::sync::Arc;

use super::SourceError;
use crate::model::RawText;

/// One payload and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// One JSON document.
    pub payload: String,
    /// Where it was found.
    pub place: Place,
}

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

impl Item {
    /// Joins several items to one, the array of them.
    pub fn array_of(mut items: Vec<Item>) -> Item {
        let payload = array(items.iter());
        let last = items.pop().map(|item| item.place);
        let first = items.into_iter().next().map(|item| item.place);
        let place = match (first, last) {
            (Some(first), Some(last)) => Place::Span(Box::new((first, last))),
            (_, last) => last.unwrap_or(Place::Command),
        };
        Item { payload, place }
    }
}

/// Writes items as a JSON array.
pub(super) fn array<'a>(items: impl Iterator<Item = &'a Item>) -> String {
    let mut payload = "[".to_owned();
    for (number, item) in items.enumerate() {
        if number > 0 {
            payload.push(',');
        }
        payload.push_str(&item.payload);
    }
    payload.push(']');
    payload
}

/// A stream of items; nothing follows the first error.
pub type Items = Box<dyn Iterator<Item = Result<Item, SourceError>> + Send>;

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

/// Returns the items given as arguments.
pub fn arguments(arguments: Vec<OsString>) -> Items {
    let items = arguments.into_iter().enumerate();
    Box::new(items.map(|(index, text)| {
        Ok(Item { payload: RawText::json_of(text.as_encoded_bytes()), place: Place::Argument(index + 1) })
    }))
}

/// Returns one payload, for a command that is given no items.
pub fn once(payload: String) -> Items {
    Box::new(std::iter::once(Ok(Item { payload, place: Place::Command })))
}

/// Returns the items of several sources, one source after the other.
pub fn in_turn(sources: Vec<Items>) -> Items {
    until_error(sources.into_iter().flatten())
}

/// Writes text as a JSON document; bytes that are not UTF-8 as the object that stands for them.
pub(super) fn json_text(text: impl AsRef<[u8]>) -> String {
    RawText::json_of(text.as_ref())
}

/// Appends text as a JSON string.
pub(super) fn push_json_text(json: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(json, text).expect("text is always a JSON document");
}

/// Ends a stream after its first error.
pub(super) fn until_error(items: impl Iterator<Item = Result<Item, SourceError>> + Send + 'static) -> Items {
    let mut failed = false;
    Box::new(items.take_while(move |item| !std::mem::replace(&mut failed, item.is_err())))
}
