//! Text as the system has it: usually UTF-8, always kept byte for byte.
//!
//! File names, arguments, variables and lines of a file are bytes. Inside of JSON, where every reader must be able to
//! take them, those that are not UTF-8 are the object `{"text": …, "base64": …}`: the text for people, with U+FFFD in
//! place of what is not a text, and the bytes themselves for programs. An object is such a text only when both fields
//! agree, so that nobody's own data is taken for it by accident.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes that are usually text.
///
/// Serialized as a string when they are UTF-8, else as the object that the module describes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RawText(Vec<u8>);

/// What stands in JSON for bytes that are not UTF-8.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Encoded<'a> {
    #[serde(borrow)]
    text: Cow<'a, str>,
    #[serde(borrow)]
    base64: Cow<'a, str>,
}

impl RawText {
    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the bytes as their owner.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Returns the text when it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// Returns what the operating system takes.
    pub fn as_os_str(&self) -> &OsStr {
        OsStr::from_bytes(&self.0)
    }

    /// Writes bytes as one JSON document: a string when they are UTF-8, else the object that stands for them.
    pub fn json_of(bytes: &[u8]) -> String {
        let document = match std::str::from_utf8(bytes) {
            Ok(text) => serde_json::to_string(text),
            Err(_) => serde_json::to_string(&encoded(bytes)),
        };
        document.expect("text is always a JSON document")
    }

    /// Returns the text that a JSON document stands for when it is the object that [`RawText::json_of`] makes of bytes
    /// that are not UTF-8.
    pub fn of_json(json: &str) -> Option<RawText> {
        // Nearly every document is told from it by its beginning.
        let json = json.trim_matches([' ', '\t', '\r', '\n']);
        if !json.starts_with('{') || !json.contains("\"base64\"") {
            return None;
        }
        decoded(&serde_json::from_str(json).ok()?).map(RawText)
    }

    /// Returns the text that a column of text stands for: the text itself, or the bytes of the object that
    /// [`RawText::to_column`] makes.
    pub fn of_column(column: &str) -> RawText {
        Self::of_json(column).unwrap_or_else(|| column.into())
    }

    /// Returns what stands in a column of text: the text itself, or the object as JSON.
    pub fn to_column(&self) -> String {
        self.as_str().map_or_else(|| Self::json_of(&self.0), str::to_owned)
    }

    /// Returns the text for people, with U+FFFD in place of what is not a text.
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl From<Vec<u8>> for RawText {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&[u8]> for RawText {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_owned())
    }
}

impl From<String> for RawText {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl From<&str> for RawText {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_owned())
    }
}

impl From<&OsStr> for RawText {
    fn from(text: &OsStr) -> Self {
        Self(text.as_bytes().to_owned())
    }
}

impl From<OsString> for RawText {
    fn from(text: OsString) -> Self {
        Self(text.into_vec())
    }
}

impl From<RawText> for OsString {
    fn from(text: RawText) -> Self {
        OsString::from_vec(text.0)
    }
}

impl fmt::Debug for RawText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_os_str(), f)
    }
}

impl Serialize for RawText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.as_str() {
            Some(text) => serializer.serialize_str(text),
            None => encoded(&self.0).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for RawText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form<'a> {
            Text(String),
            #[serde(borrow)]
            Bytes(Encoded<'a>),
        }
        match Form::deserialize(deserializer)? {
            Form::Text(text) => Ok(Self::from(text)),
            Form::Bytes(form) => decoded(&form)
                .map(Self)
                .ok_or_else(|| serde::de::Error::custom("\"text\" and \"base64\" are not the same text")),
        }
    }
}

fn encoded(bytes: &[u8]) -> Encoded<'_> {
    Encoded { text: String::from_utf8_lossy(bytes), base64: BASE64_STANDARD.encode(bytes).into() }
}

/// Returns the bytes when they are what the text says, and could not have been written as a string.
fn decoded(form: &Encoded<'_>) -> Option<Vec<u8>> {
    let bytes = BASE64_STANDARD.decode(form.base64.as_bytes()).ok()?;
    match String::from_utf8_lossy(&bytes) {
        Cow::Owned(text) if text == form.text => Some(bytes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_an_object_that_every_reader_takes() {
        let name = RawText::from(b"caf\xe9".as_slice());

        let json = serde_json::to_string(&name).unwrap();

        assert_eq!(json, "{\"text\":\"caf\u{fffd}\",\"base64\":\"Y2Fm6Q==\"}");
        assert_eq!(json, RawText::json_of(b"caf\xe9"));
        assert_eq!(RawText::of_json(&json), Some(name.clone()));
        assert_eq!(serde_json::from_str::<RawText>(&json).unwrap(), name);
    }

    #[test]
    fn an_object_of_somebody_else_is_not_taken_for_bytes() {
        for json in [
            r#"{"text":"x","base64":"Y2Fm6Q=="}"#,
            r#"{"text":"a","base64":"YQ=="}"#,
            r#"{"text":"x"}"#,
            r#"{"base64":"Y2Fm6Q==","text":"caf�","more":1}"#,
            r#"["base64"]"#,
        ] {
            assert_eq!(RawText::of_json(json), None, "{json}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(bytes: Vec<u8>) {
            let json = RawText::json_of(&bytes);
            let back: RawText = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(back.as_bytes(), bytes.as_slice());
            prop_assert_eq!(RawText::of_json(&json).is_none(), std::str::from_utf8(&bytes).is_ok());
        }
    }
}
