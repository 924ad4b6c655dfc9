//! The values that one payload offers.

use std::borrow::{Borrow, Cow};
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::TemplateError;

/// Names of fields in one message; more of them help nobody.
const MAX_NAMES: usize = 20;

/// A payload, read once per attempt; a plain string without escapes is borrowed.
///
/// A string is the item itself and null the empty text; of everything else the item is its JSON text as given. The
/// same holds for fields of an object, so that numbers keep all their digits.
#[derive(Debug)]
pub struct UnitValues<'a> {
    item: Cow<'a, str>,
    fields: Option<Fields<'a>>,
}

type Fields<'a> = BTreeMap<Text<'a>, &'a RawValue>;

/// A JSON string, borrowed where it can be; plain `Cow` is always deserialized as owned.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Borrow<str> for Text<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<'a> UnitValues<'a> {
    /// Reads a payload.
    ///
    /// # Errors
    /// When it is not one JSON document.
    pub fn parse(payload: &'a str) -> Result<UnitValues<'a>, TemplateError> {
        // Not `str::trim`, which also takes away what JSON does not allow.
        let json = payload.trim_matches([' ', '\t', '\r', '\n']);
        if json.starts_with('{') {
            let fields = serde_json::from_str(json).map_err(TemplateError::Payload)?;
            return Ok(Self { item: Cow::Borrowed(json), fields: Some(fields) });
        }
        if !json.starts_with('"') {
            serde_json::from_str::<&RawValue>(json).map_err(TemplateError::Payload)?;
        }
        Ok(Self { item: text_of(json).map_err(TemplateError::Payload)?, fields: None })
    }

    /// Returns what `{}` stands for.
    pub fn item(&self) -> &str {
        &self.item
    }

    /// Says whether the payload is an object with a field of that name.
    pub(super) fn has_field(&self, name: &str) -> bool {
        self.fields.as_ref().is_some_and(|fields| fields.contains_key(name))
    }

    /// Returns the names of the fields when the payload is an object.
    pub(super) fn known_fields(&self) -> Option<String> {
        self.fields.as_ref().map(|fields| names(fields, ""))
    }

    /// Returns the text of the field at a dotted path.
    pub(super) fn field(&self, path: &str) -> Result<Cow<'_, str>, TemplateError> {
        let Some(fields) = &self.fields else {
            return Err(TemplateError::UnknownPlaceholder { placeholder: format!("{{{path}}}") });
        };
        let raw = find(fields, path, path)?;
        text_of(raw.get()).map_err(|source| TemplateError::FieldNotText { field: path.to_owned(), source })
    }
}

/// Looks `rest`, the end of `path`, up in the object that the part before it leads to.
fn find<'a>(fields: &Fields<'a>, rest: &str, path: &str) -> Result<&'a RawValue, TemplateError> {
    if let Some(raw) = fields.get(rest) {
        return Ok(raw);
    }
    if let Some((first, deeper)) = rest.split_once('.')
        && let Some(raw) = fields.get(first)
        && let Ok(inner) = serde_json::from_str::<Fields<'a>>(raw.get())
    {
        return find(&inner, deeper, path);
    }
    let prefix = &path[..path.len() - rest.len()];
    Err(TemplateError::MissingField { field: path.to_owned(), known: names(fields, prefix) })
}

fn names(fields: &Fields<'_>, prefix: &str) -> String {
    if fields.is_empty() {
        return "none".to_owned();
    }
    let mut list = fields.keys().take(MAX_NAMES).map(|name| format!("{prefix}{}", name.0)).collect::<Vec<_>>();
    if fields.len() > MAX_NAMES {
        list.push(format!("and {} more", fields.len() - MAX_NAMES));
    }
    list.join(", ")
}

/// Returns the text of a JSON value that is known to be well formed, except for a string.
fn text_of(json: &str) -> Result<Cow<'_, str>, serde_json::Error> {
    match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<Text<'_>>(json).map(|text| text.0),
        Some(b'n') => Ok(Cow::Borrowed("")),
        _ => Ok(Cow::Borrowed(json)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(payload: &str) -> String {
        UnitValues::parse(payload).unwrap().item().to_owned()
    }

    #[test]
    fn a_string_is_the_item_and_other_json_is_its_text() {
        assert_eq!(item(r#" "a\u00e9\n\"" "#), "aé\n\"");
        assert_eq!(item(r#""""#), "");
        assert_eq!(item("1.50"), "1.50");
        assert_eq!(item("123456789012345678901234567890"), "123456789012345678901234567890");
        assert_eq!(item("[1, 2]\n"), "[1, 2]");
        assert_eq!(item("false"), "false");
        assert_eq!(item("null"), "");
        assert_eq!(item(r#" {"b": 1,"a":2} "#), r#"{"b": 1,"a":2}"#);
    }

    #[test]
    fn a_string_without_escapes_is_borrowed() {
        assert!(matches!(UnitValues::parse(r#""photos/é.jpg""#).unwrap().item, Cow::Borrowed("photos/é.jpg")));
    }

    #[test]
    fn what_is_not_one_json_document_is_refused() {
        for payload in ["", "x", "nul", r#""a"#, r#""a" "b""#, "{\"a\":1", "{} {}", "1 2", "\u{a0}1", r#""\ud800""#] {
            assert!(matches!(UnitValues::parse(payload), Err(TemplateError::Payload(_))), "{payload:?}");
        }
    }

    #[test]
    fn fields_keep_the_text_they_were_given() {
        let payload = r#"{"s":"x \"y\"","n":1.10e3,"t":true,"z":null,"a":[1, {"k":2}],"o":{"p":{"q":"deep"}},"é\"":1}"#;
        let values = UnitValues::parse(payload).unwrap();

        for (path, text) in [
            ("s", "x \"y\""),
            ("n", "1.10e3"),
            ("t", "true"),
            ("z", ""),
            ("a", r#"[1, {"k":2}]"#),
            ("o", r#"{"p":{"q":"deep"}}"#),
            ("o.p", r#"{"q":"deep"}"#),
            ("o.p.q", "deep"),
        ] {
            assert_eq!(values.field(path).unwrap(), text, "{path}");
        }
    }

    #[test]
    fn a_field_with_dots_in_its_name_goes_before_a_path() {
        let values = UnitValues::parse(r#"{"a":{"b":"nested","c.d":"inner"},"a.b":"flat"}"#).unwrap();

        assert_eq!(values.field("a.b").unwrap(), "flat");
        assert_eq!(values.field("a.c.d").unwrap(), "inner");
    }

    #[test]
    fn the_last_of_several_fields_of_a_name_counts() {
        let values = UnitValues::parse(r#"{"a":1,"a":2}"#).unwrap();

        assert_eq!(values.field("a").unwrap(), "2");
    }

    #[test]
    fn a_missing_field_lists_those_at_its_level() {
        let values = UnitValues::parse(r#"{"b":{"y":1,"x":2},"a":"text"}"#).unwrap();
        let message = |path| values.field(path).unwrap_err().to_string();

        assert_eq!(message("c"), r#"the payload has no field "c", known fields: a, b"#);
        assert_eq!(message("b.z"), r#"the payload has no field "b.z", known fields: b.x, b.y"#);
        assert_eq!(message("a.z"), r#"the payload has no field "a.z", known fields: a, b"#);
    }

    #[test]
    fn many_fields_are_not_all_listed() {
        let fields = (0..100).map(|n| format!(r#""f{n:03}":0"#)).collect::<Vec<_>>().join(",");
        let payload = format!("{{{fields}}}");

        let known = UnitValues::parse(&payload).unwrap().known_fields().unwrap();

        assert!(known.starts_with("f000, f001, ") && known.ends_with("f019, and 80 more"), "{known}");
    }

    #[test]
    fn half_a_surrogate_pair_is_no_text() {
        let values = UnitValues::parse(r#"{"a":"\ud800","b":1}"#).unwrap();

        assert!(matches!(values.field("a"), Err(TemplateError::FieldNotText { .. })));
        assert_eq!(values.field("b").unwrap(), "1");
    }
}
