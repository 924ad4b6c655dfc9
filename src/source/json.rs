//! The elements of an array somewhere in one JSON document.
//!
//! The document is read once, from its beginning to its end, and never held: only one element is, as it is written.
//! Known weaknesses: fields whose names hold dots cannot be on the path, nor can elements of other arrays.

mod bounds;

use std::fmt;
use std::io::BufRead;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::pushed::{Sink, pushed};
use super::text::{Holds, Text, failure};
use super::{Items, MAX_ITEM_BYTES, MAX_JSON_DEPTH, Place, SourceError};
use crate::model::{JsonError, check_document};

use bounds::{Bound, Bounds, Watched};

/// Path of an array that is the document itself.
pub const WHOLE_DOCUMENT: &str = ".";

/// Returns the elements of the array at a path such as `a.b`, exactly as written; `.` is the document itself.
pub fn json(reader: impl BufRead + Send + 'static, name: &str, path: &str) -> Items {
    let (name, path): (Arc<str>, _) = (name.into(), path.to_owned());
    let file = Arc::clone(&name);
    let place = move |number| Place::Element(Arc::clone(&file), number);
    pushed(&Arc::clone(&name), place, move |sink| read(reader, &name, &path, sink))
}

fn read(reader: impl BufRead, name: &Arc<str>, path: &str, sink: &mut Sink) -> Result<(), SourceError> {
    let text = Text::new(reader, name, Holds::Utf8);
    let steps: Vec<&str> = if path == WHOLE_DOCUMENT { Vec::new() } else { path.split('.').collect() };
    let bounds = Bounds::for_elements_at(steps.len() + 1);
    let mut document = serde_json::Deserializer::from_reader(Watched::new(text, &bounds));
    let mut search = Search { path, bounds: &bounds, sink, is_found: false, is_left: false, unsound: None };
    let end = Descent { search: &mut search, steps: &steps }.deserialize(&mut document);
    let element = search.sink.count() + 1;
    match end {
        Err(_) if search.is_left => return Ok(()),
        Err(error) => {
            return Err(match search.unsound {
                Some(source) => SourceError::Ambiguous { place: Place::Element(Arc::clone(name), element), source },
                None => describe(error, name, path, &bounds, element),
            });
        }
        Ok(()) => {}
    }
    match document.end() {
        Ok(()) if search.is_found => Ok(()),
        Ok(()) => Err(SourceError::NoArray { name: name.to_string(), path: path.to_owned() }),
        Err(error) if error.is_io() => Err(describe(error, name, path, &bounds, element)),
        Err(error) => Err(SourceError::AfterDocument { place: line(name, &error), column: error.column() }),
    }
}

/// Returns the line of an error; one at a line break is told on the line after it.
fn line(name: &Arc<str>, error: &serde_json::Error) -> Place {
    let line = if error.column() == 0 { error.line().saturating_sub(1) } else { error.line() };
    Place::Line(Arc::clone(name), u64::try_from(line).unwrap_or(u64::MAX).max(1))
}

fn describe(error: serde_json::Error, name: &Arc<str>, path: &str, bounds: &Bounds, element: u64) -> SourceError {
    let place = line(name, &error);
    let column = error.column();
    match error.classify() {
        Category::Io => match bounds.exceeded.get() {
            Some(Bound::Depth) => SourceError::TooDeep { place, limit: MAX_JSON_DEPTH },
            Some(Bound::Size) => {
                SourceError::TooLong { place: Place::Element(Arc::clone(name), element), limit: MAX_ITEM_BYTES }
            }
            None => failure(name, error.into()),
        },
        Category::Data => SourceError::NoArrayHere { place, path: path.to_owned(), column, source: error.into() },
        Category::Syntax | Category::Eof => SourceError::NotJson { place, column, source: error.into() },
    }
}

/// The search for the array in one document.
struct Search<'a> {
    path: &'a str,
    bounds: &'a Bounds,
    sink: &'a mut Sink,
    is_found: bool,
    /// Nobody wants more elements.
    is_left: bool,
    /// What is wrong with the element after the last one that was given.
    unsound: Option<JsonError>,
}

/// A value below which the array lies, `steps` away.
struct Descent<'a, 'b> {
    search: &'a mut Search<'b>,
    steps: &'a [&'a str],
}

impl<'de> DeserializeSeed<'de> for Descent<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Descent<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.steps.first() {
            None => f.write_str("an array"),
            Some(field) => write!(f, "an object with the field {field:?}"),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let Some((&step, steps)) = self.steps.split_first() else {
            return Err(A::Error::invalid_type(Unexpected::Map, &self));
        };
        let search = self.search;
        search.bounds.limit_size();
        while let Some(field) = fields.next_key::<String>()? {
            search.bounds.lift_size();
            if field != step {
                fields.next_value::<IgnoredAny>()?;
            } else if search.is_found {
                return Err(A::Error::custom(format_args!("field {field:?} stands there twice")));
            } else {
                fields.next_value_seed(Descent { search, steps })?;
            }
            search.bounds.limit_size();
        }
        search.bounds.lift_size();
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        if !self.steps.is_empty() {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self));
        }
        let search = self.search;
        search.is_found = true;
        search.bounds.limit_size();
        while let Some(element) = elements.next_element::<Box<RawValue>>()? {
            if let Err(error) = check_document(element.get()) {
                search.unsound = Some(error);
                return Err(A::Error::custom("the element is not sound"));
            }
            if !search.sink.push(Box::<str>::from(element).into_string()) {
                search.is_left = true;
                return Err(A::Error::custom(format_args!("nobody reads {} any more", search.path)));
            }
            search.bounds.limit_size();
        }
        search.bounds.lift_size();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, BufReader, Cursor, Read};

    use proptest::prelude::*;

    use super::*;

    fn payloads(text: &str, path: &str) -> Vec<String> {
        json(Cursor::new(text.to_owned()), "f", path).map(|item| item.unwrap().payload).collect()
    }

    fn error_of(text: impl Into<Vec<u8>>, path: &str) -> String {
        let error = json(Cursor::new(text.into()), "f", path).find_map(Result::err).unwrap();
        let cause = std::error::Error::source(&error).map(|cause| format!(", {cause}")).unwrap_or_default();
        format!("{error}{cause}")
    }

    #[test]
    fn elements_are_kept_exactly_as_written() {
        let text =
            "\u{feff}{\"x\": [1e999], \"a\": {\"b\": [ {\"k\":  1.0}, \"t\\u0041\\n\" ,[],\n null]}, \"z\": {}}\n";

        assert_eq!(payloads(text, "a.b"), ["{\"k\":  1.0}", "\"t\\u0041\\n\"", "[]", "null"]);
        assert_eq!(payloads("[1, 2]", "."), ["1", "2"]);
        assert!(payloads("{\"a\":[]}", "a").is_empty());
    }

    #[test]
    fn what_is_not_there_is_said_with_its_place() {
        assert_eq!(error_of("{}", "a"), "f: nothing is at \"a\"");
        assert_eq!(
            error_of("{\"a\":\n7}", "a"),
            "f:2: cannot find the array at \"a\", column 2, invalid type: integer `7`, expected an array"
        );
        assert!(error_of("{\"a\":{\"c\":1}}", "a").contains("invalid type: map, expected an array"));
        assert!(error_of("[]", "a.b").contains("invalid type: sequence, expected an object with the field \"a\""));
        assert!(error_of("{\"a\":[],\"a\":[]}", "a").contains("field \"a\" stands there twice"));
    }

    #[test]
    fn a_document_that_is_cut_off_or_goes_on_is_refused() {
        assert!(error_of("{\"a\":[1,\n2", "a").starts_with("f:2: not a JSON document, column 1"));
        assert!(error_of("{\"a\":[1]", "a").starts_with("f:1: not a JSON document"));
        assert!(error_of("[1] [2]", ".").starts_with("f:1: text after the document, column 5"));
        assert!(error_of("[1]\n[2]", ".").starts_with("f:2: text after the document, column 1"));
        assert!(error_of(b"[1,\n\"\xff\"]".to_vec(), ".").starts_with("f:2: not valid UTF-8 at byte 2"));
        assert!(error_of(b"[1\0]".to_vec(), ".").starts_with("f:1: a NUL byte at byte 3"));
        assert!(error_of("", ".").starts_with("f:1: not a JSON document"));
    }

    #[test]
    fn a_document_that_is_no_array_is_refused() {
        for text in ["{\"a\":1}\n{\"a\":2}\n", "{\"a\":[1]}", "7", "\"a\"", "null"] {
            let error = error_of(text, WHOLE_DOCUMENT);
            assert!(
                error.contains("cannot find the array at")
                    || error.contains("nothing is at")
                    || error.contains("text after the document"),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn an_element_that_not_everybody_reads_alike_is_refused() {
        for (element, words) in [
            (r#""\ud800""#, "unpaired surrogate"),
            (r#"{"a":1,"a":2}"#, "field \"a\" stands there twice"),
            ("1e999", "number out of range"),
        ] {
            let error = error_of(format!("[1,{element}]"), ".");
            assert!(error.starts_with("f, element 2: not a JSON document that everybody reads alike"), "{error}");
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn fault_92_a_document_beyond_its_bounds_is_refused_without_being_held() {
        let endless = |start: &[u8], byte| BufReader::new(Cursor::new(start.to_vec()).chain(io::repeat(byte)));
        let error = |reader, path| json(reader, "f", path).find_map(Result::err).unwrap().to_string();

        assert_eq!(error(endless(b"[1, \"", b'x'), "."), "f, element 2: an item may have at most 16777216 bytes");
        for (start, path) in [(&b"[1, "[..], "."), (b"{\"x\":", "a")] {
            assert_eq!(error(endless(start, b'['), path), "f:1: a JSON document may nest at most 100 levels deep");
        }
    }

    #[test]
    fn an_element_may_nest_as_deep_as_a_payload() {
        let nested = |depth| format!("{{\"a\":{{\"b\":[{}{}]}}}}", "[".repeat(depth), "]".repeat(depth));

        assert_eq!(payloads(&nested(MAX_JSON_DEPTH), "a.b").len(), 1);
        assert!(error_of(nested(MAX_JSON_DEPTH + 1), "a.b").contains("100 levels deep"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            json(Cursor::new(bytes), "x", "a").for_each(drop);
        }

        #[test]
        fn the_elements_of_any_array_come_back(elements in proptest::collection::vec("[^\\x00]{0,9}", 0..20)) {
            let text = serde_json::to_string_pretty(&serde_json::json!({ "a": { "b": elements } })).unwrap();

            let found: Vec<String> =
                payloads(&text, "a.b").iter().map(|payload| serde_json::from_str(payload).unwrap()).collect();

            prop_assert_eq!(found, elements);
        }
    }
}
