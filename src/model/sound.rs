//! Whether every reader of a JSON document reads the same in it.
//!
//! serde_json passes over a document that it does not need without looking at all of it: half of a surrogate pair, a
//! number that no reader holds and a field that is there twice are only seen by whoever asks for them. Here they are.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// What is wrong with a JSON document, and where in it.
#[derive(Debug, thiserror::Error)]
#[error("{}", described(.0))]
pub struct JsonError(serde_json::Error);

impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        Self(error)
    }
}

impl JsonError {
    /// Returns `true` if the text is no JSON at all; `false` if it is, and not everybody reads the same in it.
    pub fn is_syntax(&self) -> bool {
        self.0.is_syntax() || self.0.is_eof()
    }
}

#[cfg(feature = "sources")]
impl JsonError {
    /// Returns where in its line the document goes wrong, counted from 1; 0 at the line's end.
    pub fn column(&self) -> usize {
        self.0.column()
    }

    /// Returns `true` if the text ends before the document does.
    pub fn is_cut(&self) -> bool {
        self.0.is_eof()
    }
}

fn described(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // Whoever shows it names the place in the file; this one is that inside the document, which is another.
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&place).unwrap_or(&text);
    // The parser's words for the first half without the second one, and for the second without the first.
    if text.starts_with("unexpected end of hex escape") || text.starts_with("lone leading surrogate") {
        "unpaired surrogate, such as \\ud800 without its other half".to_owned()
    } else {
        text.to_owned()
    }
}

/// Names of an object that are compared one by one before they are hashed.
const FEW: usize = 16;

/// Checks one document; the error has its line and column.
///
/// # Errors
/// When it is not one document that every reader reads the same.
pub fn check_document(json: &str) -> Result<(), JsonError> {
    let mut document = serde_json::Deserializer::from_str(json);
    Sound(&mut Vec::new()).deserialize(&mut document)?;
    Ok(document.end()?)
}

/// Looks at a whole value of any kind, with the names so far of the objects around it.
struct Sound<'a, 'de>(&'a mut Vec<Name<'de>>);

/// The name of a field, borrowed where it can be.
#[derive(Deserialize, PartialEq, Eq, Hash)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> DeserializeSeed<'de> for Sound<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Sound<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON document")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        while elements.next_element_seed(Sound(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let names = self.0;
        let around = names.len();
        let mut many = HashSet::new();
        while let Some(name) = fields.next_key()? {
            let few = &names[around..];
            if few.contains(&name) || many.contains(&name) {
                return Err(A::Error::custom(format_args!("field {:?} stands there twice", name.0)));
            }
            if few.len() == FEW {
                many.extend(names.drain(around..));
            }
            names.push(name);
            fields.next_value_seed(Sound(names))?;
        }
        names.truncate(around);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_readers_would_read_differently_is_refused_with_its_place() {
        for (json, words) in [
            (r#"{"a":"\ud800"}"#, "unpaired surrogate"),
            (r#"["\udc00x"]"#, "unpaired surrogate"),
            (r#"{"\ud83d":1}"#, "unpaired surrogate"),
            ("[1e999]", "number out of range"),
            (r#"{"a":1,"b":{"c":1,"c":2}}"#, r#"field "c" stands there twice"#),
            (r#"{"a":1,"\u0061":2}"#, r#"field "a" stands there twice"#),
            ("NaN", "expected"),
            ("[01]", "invalid number"),
            ("\"a\tb\"", "control character"),
            ("[1,]", "trailing comma"),
            ("", "EOF"),
            ("1 2", "trailing characters"),
        ] {
            let error = check_document(json).unwrap_err().to_string();
            assert!(error.contains(words), "{json}: {error}");
        }
    }

    #[test]
    fn a_field_that_is_there_twice_is_found_among_any_number_of_fields_and_only_in_its_own_object() {
        let object = |names: &mut dyn Iterator<Item = usize>| {
            let fields: Vec<String> = names.map(|name| format!(r#""{name}":{{"0":{{}},"{name}x":[]}}"#)).collect();
            format!("{{{}}}", fields.join(","))
        };
        for number in [1, FEW - 1, FEW, FEW + 1, 3 * FEW + 2] {
            let sound = object(&mut (0..number));
            check_document(&format!(r#"[{sound},{{"0":{sound},"1":{sound}}}]"#)).unwrap();
            for twice in 0..number {
                let json = format!(r#"{{"outer":{}}}"#, object(&mut (0..number).chain([twice])));
                let error = check_document(&json).unwrap_err().to_string();
                assert!(error.contains(&format!("field \"{twice}\" stands there twice")), "{json}: {error}");
            }
        }
    }

    #[test]
    fn everything_else_is_let_through() {
        for json in [
            r#"{"a":[1,-0.5,1e300,12345678901234567890123,true,null,"\u00e9\ud83d\ude00\u0000"],"":{}}"#,
            " \"x\" ",
            "-0",
        ] {
            check_document(json).unwrap();
        }
    }
}
