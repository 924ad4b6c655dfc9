//! Texts that are JSON, as a part of other documents.

use serde::Serialize;

pub(super) fn raw_json<S: serde::Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    match serde_json::value::RawValue::from_string(text.to_owned()) {
        Ok(raw) => raw.serialize(serializer),
        Err(_) => serializer.serialize_str(text),
    }
}

pub(super) fn optional_raw_json<S: serde::Serializer>(text: &Option<String>, serializer: S) -> Result<S::Ok, S::Error> {
    match text {
        Some(text) => raw_json(text, serializer),
        None => serializer.serialize_none(),
    }
}
