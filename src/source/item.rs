//! Items, one by one.

use std::ffi::OsString;

use super::{Place, SourceError};
use crate::model::RawText;

/// One payload and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// One JSON document.
    pub payload: String,
    /// Where it was found.
    pub place: Place,
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
    format!("[{}]", items.map(|item| item.payload.as_str()).collect::<Vec<_>>().join(","))
}

/// A stream of items; nothing follows the first error.
pub type Items = Box<dyn Iterator<Item = Result<Item, SourceError>> + Send>;

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
