//! One JSON document per line.

use std::io::BufRead;
use std::sync::Arc;

use serde::de::IgnoredAny;

use super::bounded::read_bounded;
use super::depth::is_too_deep;
use super::item::until_error;
use super::{Item, Items, MAX_ITEM_BYTES, MAX_JSON_DEPTH, Place, SourceError};

/// Returns the documents of a text with one per line, exactly as written; blank lines are left out.
pub fn jsonl(mut reader: impl BufRead + Send + 'static, name: &str) -> Items {
    let name: Arc<str> = name.into();
    let mut buffer = Vec::new();
    let mut line = 0;
    until_error(std::iter::from_fn(move || {
        loop {
            line += 1;
            let place = Place::Line(Arc::clone(&name), line);
            match read_bounded(&mut reader, b'\n', MAX_ITEM_BYTES, &mut buffer) {
                Ok(Some(true)) => {}
                Ok(Some(false)) => return Some(Err(SourceError::TooLong { place, limit: MAX_ITEM_BYTES })),
                Ok(None) => return None,
                Err(source) => return Some(Err(SourceError::Unreadable { name: name.to_string(), source })),
            }
            let Ok(text) = std::str::from_utf8(&buffer) else { return Some(Err(SourceError::NotUtf8 { place })) };
            let text = if line == 1 { text.trim_start_matches('\u{feff}') } else { text };
            let document = text.trim_ascii();
            if document.is_empty() {
                continue;
            }
            if is_too_deep(document) {
                return Some(Err(SourceError::TooDeep { place, limit: MAX_JSON_DEPTH }));
            }
            // Only validated: the text itself is the payload.
            return Some(match serde_json::from_str::<IgnoredAny>(document) {
                Ok(_) => Ok(Item { payload: document.to_owned(), place }),
                Err(source) => Err(SourceError::NotJson { place, column: source.column(), source }),
            });
        }
    }))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn documents_are_kept_exactly_as_written() {
        let text = " {\"a\": 1.0,  \"b\":[ ]}\r\n\n  12345678901234567890\n\"x\"";

        let found: Vec<String> = jsonl(Cursor::new(text), "x").map(|item| item.unwrap().payload).collect();

        assert_eq!(found, ["{\"a\": 1.0,  \"b\":[ ]}", "12345678901234567890", "\"x\""]);
    }

    #[test]
    fn an_error_names_line_and_column() {
        let error = jsonl(Cursor::new("{}\n{\"a\":}\n"), "f").nth(1).unwrap().unwrap_err();

        assert_eq!(error.to_string(), "f:2: not a JSON document, column 6");
    }

    #[test]
    fn fault_92_a_document_of_any_depth_is_refused_and_not_followed() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));

        let error = jsonl(Cursor::new(deep), "f").next().unwrap().unwrap_err();

        assert_eq!(error.to_string(), "f:1: a JSON document may nest 100 levels deep at the most");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            jsonl(Cursor::new(bytes), "x").for_each(drop);
        }
    }
}
