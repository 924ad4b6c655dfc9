//! One JSON document per line.

use std::io::BufRead;

use super::depth::is_too_deep;
use super::item::until_error;
use super::lines::Lines;
use super::{Counter, Item, Items, MAX_JSON_DEPTH, Notes, SourceError};
use crate::model::{check_document, counted};

/// Returns the documents of a text with one per line, exactly as written; blank lines are skipped and noted.
///
/// A text that is one array is refused: its elements were meant, and it would be one item.
pub fn jsonl(reader: impl BufRead + Send + 'static, name: &str, notes: &Notes) -> Items {
    let file = name.to_owned();
    let skipped = notes.count(move |number| format!("{file}: {} skipped", counted(number, "blank line")));
    let mut documents = Documents { lines: Lines::of_utf8(reader, name), skipped };
    let mut is_first = true;
    let mut second = None;
    until_error(std::iter::from_fn(move || {
        if let Some(second) = second.take() {
            return Some(second);
        }
        let next = documents.read().transpose();
        if std::mem::take(&mut is_first)
            && let Some(Ok(item)) = &next
            && item.payload.starts_with('[')
        {
            second = documents.read().transpose();
            if second.is_none() {
                return Some(Err(SourceError::OneArray { place: item.place.clone() }));
            }
        }
        next
    }))
}

struct Documents<R> {
    lines: Lines<R>,
    skipped: Counter,
}

impl<R: BufRead> Documents<R> {
    fn read(&mut self) -> Result<Option<Item>, SourceError> {
        loop {
            let Some(line) = self.lines.read()? else { return Ok(None) };
            let text = std::str::from_utf8(line).expect("only UTF-8 comes in");
            let document = text.trim_matches([' ', '\t', '\r']);
            if document.is_empty() {
                self.skipped.increase();
                continue;
            }
            if is_too_deep(document) {
                return Err(SourceError::TooDeep { place: self.lines.place(), limit: MAX_JSON_DEPTH });
            }
            let indent = text.len() - text.trim_start_matches([' ', '\t', '\r']).len();
            let payload = document.to_owned();
            let Err(source) = check_document(&payload) else {
                return Ok(Some(Item { payload, place: self.lines.place() }));
            };
            let (place, column) = (self.lines.place(), indent + source.column());
            // Cut off at the end of the text, or written over several lines?
            return Err(if source.is_cut() && self.lines.read()?.is_some() {
                SourceError::DocumentGoesOn { place }
            } else {
                SourceError::NotJson { place, column, source }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn found(text: impl Into<Vec<u8>>) -> Result<Vec<String>, String> {
        let items = jsonl(Cursor::new(text.into()), "f", &Notes::default());
        items.map(|item| item.map(|item| item.payload).map_err(|error| error.to_string())).collect()
    }

    #[test]
    fn documents_are_kept_exactly_as_written() {
        let text = "\u{feff} {\"a\": 1.0,  \"b\":[ ]}\r\n\n  12345678901234567890\n\"x\"";

        assert_eq!(found(text).unwrap(), ["{\"a\": 1.0,  \"b\":[ ]}", "12345678901234567890", "\"x\""]);
        assert_eq!(found("[1]\n[2]\n").unwrap(), ["[1]", "[2]"]);
    }

    #[test]
    fn an_error_names_line_and_column() {
        assert_eq!(found("{}\n {\"a\":}\n").unwrap_err(), "f:2: not a JSON document, column 7");
        assert_eq!(found("{}\n{\"a\":\"\\ud800\"}\n").unwrap_err(), "f:2: not a JSON document, column 13");
        assert_eq!(found("{}\n{\"a\":1").unwrap_err(), "f:2: not a JSON document, column 6");
        assert!(found(b"{}\n\"\xe9\"\n".to_vec()).unwrap_err().starts_with("f:2: not valid UTF-8 at byte 2"));
    }

    #[test]
    fn one_array_and_a_document_over_several_lines_are_not_taken_for_documents_of_a_line() {
        for text in ["[{\"a\":1},{\"a\":2}]\n", "[]\n\n", "\u{feff}[1]"] {
            assert!(found(text).unwrap_err().starts_with("f:1: one array and not one document per line"), "{text}");
        }
        for text in ["{\n  \"a\": 1\n}\n", "[\n1\n]\n", "{\"a\":\n1}\n"] {
            assert!(found(text).unwrap_err().starts_with("f:1: the document goes on in the next line"), "{text}");
        }
    }

    #[test]
    fn fault_92_a_document_of_any_depth_is_refused_and_not_followed() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));

        assert_eq!(found(deep).unwrap_err(), "f:1: a JSON document may nest at most 100 levels deep");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            jsonl(Cursor::new(bytes), "x", &Notes::default()).for_each(drop);
        }
    }
}
