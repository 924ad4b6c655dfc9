//! What answers hold: the schema that hosts are given of it, and the documents that are made to fit.
//!
//! Every field has one type, because some hosts refuse a whole server for a union. So what is not there is omitted
//! instead of null, and a value of the caller's, which may be anything, is a text: a text as it is, anything else as its
//! JSON. What is written as bytes that are no text has a field more, with all of it in base64. A field that a shape
//! does not name is not answered.

use rmcp::model::JsonObject;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::exact::{Document, exactly};

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Text,
    /// Text that is perhaps none: `NAME_base64` is there in that case.
    Bytes,
    Word(&'static [&'static str]),
    Whole,
    Number,
    Flag,
    Texts,
    Wholes,
    Object(&'static [Field]),
    Rows(&'static [Field]),
}

/// A field of an answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    name: &'static str,
    kind: Kind,
    about: &'static str,
    is_always: bool,
}

/// Describes a field that is omitted where there is nothing to say.
pub(super) const fn field(name: &'static str, kind: Kind, about: &'static str) -> Field {
    Field { name, kind, about, is_always: false }
}

impl Field {
    /// Says that the field is in every answer; of what is inside of others that is not said, which would cost too much.
    pub const fn always(self) -> Field {
        Field { is_always: true, ..self }
    }
}

/// Returns the schema of an answer with these fields.
pub(super) fn schema(fields: &[Field]) -> JsonObject {
    let Value::Object(mut schema) = object(fields) else { unreachable!("an object was made") };
    let always: Vec<&str> = fields.iter().filter(|field| field.is_always).map(|field| field.name).collect();
    schema.insert("required".to_owned(), json!(always));
    schema
}

fn object(fields: &[Field]) -> Value {
    let mut properties = JsonObject::new();
    for Field { name, kind, about, .. } in fields {
        let mut property = of_kind(*kind);
        property["description"] = Value::from(*about);
        properties.insert((*name).to_owned(), property);
        if let Kind::Bytes = kind {
            let about = "If no UTF-8.";
            properties.insert(base64_of(name), json!({ "type": "string", "description": about }));
        }
    }
    json!({ "type": "object", "properties": properties })
}

fn of_kind(kind: Kind) -> Value {
    match kind {
        Kind::Text | Kind::Bytes => json!({ "type": "string" }),
        Kind::Word(words) => json!({ "type": "string", "enum": words }),
        Kind::Whole => json!({ "type": "integer" }),
        Kind::Number => json!({ "type": "number" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::Wholes => json!({ "type": "array", "items": { "type": "integer" } }),
        Kind::Object(fields) => object(fields),
        Kind::Rows(fields) => json!({ "type": "array", "items": object(fields) }),
    }
}

fn base64_of(name: &str) -> String {
    format!("{name}_base64")
}

/// Returns a document with what the fields name, each in its form; numbers keep their text.
pub(super) fn fit(fields: &[Field], mut document: Document) -> Document {
    let mut fitted = Document::new();
    for Field { name, kind, .. } in fields {
        let Some(value) = document.remove(*name).filter(|value| value.get() != "null") else { continue };
        let value = match kind {
            Kind::Text | Kind::Word(_) => text_of(&value),
            Kind::Bytes => match bytes_of(&value) {
                Some([text, bytes]) => {
                    fitted.insert(base64_of(name), bytes);
                    text
                }
                None => text_of(&value),
            },
            Kind::Whole | Kind::Number | Kind::Flag | Kind::Wholes => value,
            Kind::Texts => exactly(values_of(&value).iter().map(|value| text_of(value)).collect::<Vec<_>>()),
            Kind::Object(fields) => exactly(fit(fields, fields_of(&value))),
            Kind::Rows(fields) => {
                exactly(values_of(&value).iter().map(|value| fit(fields, fields_of(value))).collect::<Vec<_>>())
            }
        };
        fitted.insert((*name).to_owned(), value);
    }
    fitted
}

/// Returns a text as it is, and anything else as the text of its JSON.
pub(super) fn text_of(value: &RawValue) -> Box<RawValue> {
    if value.get().starts_with('"') { value.to_owned() } else { exactly(value.get()) }
}

/// Returns `true` for what was no text before [`text_of`] made it one; omitted where it was.
pub(super) fn is_json(value: &RawValue) -> Option<bool> {
    (!value.get().starts_with('"')).then_some(true)
}

/// Returns the parts of what stands for bytes that are no text.
fn bytes_of(value: &RawValue) -> Option<[Box<RawValue>; 2]> {
    let mut fields = fields_of(value);
    Some([fields.remove("text")?, fields.remove("base64")?])
}

fn fields_of(value: &RawValue) -> Document {
    serde_json::from_str(value.get()).unwrap_or_default()
}

fn values_of(value: &RawValue) -> Vec<Box<RawValue>> {
    serde_json::from_str(value.get()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[Field] = &[
        field("payload", Kind::Text, "A."),
        field("stdout", Kind::Bytes, "B."),
        field("rows", Kind::Rows(&[field("n", Kind::Number, "C.").always()]), "D."),
    ];

    fn fitted(text: &str) -> String {
        exactly(fit(FIELDS, serde_json::from_str(text).unwrap())).get().to_owned()
    }

    #[test]
    fn values_keep_their_text_and_what_is_not_there_is_left_out() {
        assert_eq!(fitted(r#"{"payload":{"a":1E5},"stdout":null,"x":1}"#), r#"{"payload":"{\"a\":1E5}"}"#);
        assert_eq!(
            fitted(r#"{"payload":"a b","rows":[{"n":1.10},{"n":2,"m":3}]}"#),
            r#"{"payload":"a b","rows":[{"n":1.10},{"n":2}]}"#
        );
    }

    #[test]
    fn bytes_that_are_no_text_have_a_field_of_their_own() {
        let bytes = r#"{"stdout":{"text":"caf?","base64":"Y2Fm6Q=="}}"#;
        assert_eq!(fitted(bytes), r#"{"stdout":"caf?","stdout_base64":"Y2Fm6Q=="}"#);
    }

    #[test]
    fn every_type_is_one_word() {
        let schema = Value::Object(schema(FIELDS));
        assert_eq!((&schema["required"], &schema["properties"]["rows"]["type"]), (&json!([]), &json!("array")));
        assert_eq!(schema["properties"]["stdout_base64"]["type"], "string");
    }
}
