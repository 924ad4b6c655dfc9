//! Tests of the values of a payload.

use super::*;

fn item(payload: &str) -> String {
    String::from_utf8(UnitValues::parse(payload).unwrap().item().to_owned()).unwrap()
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
    let values = UnitValues::parse(r#""photos/é.jpg""#).unwrap();

    assert!(matches!(values.item, Item::Text(Cow::Borrowed(text)) if text == "photos/é.jpg".as_bytes()));
}

#[test]
fn an_object_that_stands_for_bytes_is_a_plain_item() {
    let json = RawText::json_of(b"caf\xe9");
    let values = UnitValues::parse(&json).unwrap();

    assert_eq!(values.item(), b"caf\xe9");
    assert!(values.is_plain());
}

#[test]
fn what_is_not_one_json_document_is_refused() {
    for payload in ["", "x", "nul", r#""a"#, r#""a" "b""#, "{\"a\":1", "{} {}", "1 2", "\u{a0}1", r#""\ud800""#] {
        assert!(matches!(UnitValues::parse(payload), Err(TemplateError::Payload(_))), "{payload:?}");
    }
}

#[test]
fn a_field_is_found_by_its_name_its_path_or_its_position() {
    let payload = r#"{"a":{"b":"nested","c.d":"inner","e":[{"f":7}]},"a.b":"flat","x.y":{"z":1},"2":"two"}"#;
    let values = UnitValues::parse(payload).unwrap();

    for (path, value) in [
        ("a.b", r#""flat""#),
        ("a.c.d", r#""inner""#),
        ("a.e.0.f", "7"),
        ("x.y.z", "1"),
        ("2", r#""two""#),
        ("3.z", "1"),
        ("4", r#""two""#),
    ] {
        assert_eq!(values.find(path).unwrap(), Some(value), "{path}");
    }
    for path in ["c", "a.z", "a.e.1", "a.e.f", "0", "5", "03", "1.b.x"] {
        assert_eq!(values.find(path).unwrap(), None, "{path}");
    }
}

#[test]
fn a_name_that_is_there_twice_is_refused_where_it_is_asked_for() {
    let values = UnitValues::parse(r#"{"a":1,"b":2,"a":3}"#).unwrap();

    assert_eq!(values.find("b").unwrap(), Some("2"));
    assert_eq!(values.find("3").unwrap(), Some("3"));
    assert_eq!(
        values.find("a").unwrap_err().to_string(),
        r#"the item has the field "a" twice, write {1} or {3} for the one that is meant"#
    );
}

#[test]
fn elements_of_an_array_have_positions() {
    let values = UnitValues::parse(r#"["a", {"n": 1.0}]"#).unwrap();

    assert_eq!(values.find("1").unwrap(), Some(r#""a""#));
    assert_eq!(values.find("2.n").unwrap(), Some("1.0"));
    assert_eq!(values.find("3").unwrap(), None);
}

#[test]
fn many_fields_are_not_all_listed() {
    let fields = (0..100).map(|n| format!(r#""f{n:03}":0"#)).collect::<Vec<_>>().join(",");
    let payload = format!("{{{fields}}}");

    let known = UnitValues::parse(&payload).unwrap().known();

    assert!(known.starts_with("known fields: f000, f001, ") && known.ends_with("f019, and 80 more"), "{known}");
}
