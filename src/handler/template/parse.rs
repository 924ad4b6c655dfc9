//! From text to parts.

use super::TemplateError;
use super::part::Part;
use super::placeholder::Placeholder;
use super::word::mark_whole_words;
use crate::model::RawText;

/// Most characters of what stands after a brace that is no placeholder, for a message.
const EXCERPT_CHARS: usize = 24;

/// Splits a text into literal parts, braces unescaped and neighbours joined, and placeholders.
pub(super) fn parse_parts(text: &[u8]) -> Result<Vec<Part>, TemplateError> {
    if text.contains(&0) {
        return Err(TemplateError::NulInText { text: RawText::from(text).to_string_lossy().into_owned() });
    }
    let mut parts = Vec::new();
    let mut literal = Vec::new();
    let mut rest = text;
    // Braces that begin no placeholder and are not closed yet: only the correction, which doubles them, is made of these.
    let mut open = 0;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'{' | b'}')) {
        literal.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix(b"{{") {
            literal.push(b'{');
            rest = after;
        } else if open > 0 && rest.starts_with(b"}") {
            literal.push(b'}');
            rest = &rest[1..];
            open -= 1;
        } else if let Some(after) = rest.strip_prefix(b"}}").or_else(|| rest.strip_prefix(b"}")) {
            literal.push(b'}');
            rest = after;
        } else {
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            let (placeholder, after) = read_placeholder(rest);
            open += usize::from(placeholder.is_stray());
            parts.push(Part::Placeholder(placeholder));
            rest = after;
        }
    }
    literal.extend_from_slice(rest);
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    mark_whole_words(&mut parts);
    Ok(parts)
}

/// Appends a text with its braces doubled.
pub(super) fn push_doubled(doubled: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        if matches!(byte, b'{' | b'}') {
            doubled.push(byte);
        }
        doubled.push(byte);
    }
}

/// Reads the placeholder at the start of `rest`, and returns it with what follows; of a brace that begins none only
/// the brace is taken.
fn read_placeholder(rest: &[u8]) -> (Placeholder, &[u8]) {
    let content = end_of_content(&rest[1..]).and_then(|end| std::str::from_utf8(&rest[1..=end]).ok());
    let read = content.and_then(|content| Some((Placeholder::named(content)?, &rest[content.len() + 2..])));
    read.unwrap_or_else(|| (Placeholder::stray(excerpt(rest)), &rest[1..]))
}

/// Returns where the brace stands that closes a placeholder; a name in quotes may hold braces.
fn end_of_content(content: &[u8]) -> Option<usize> {
    let mut in_quotes = content.first() == Some(&b'"');
    let mut at = usize::from(in_quotes);
    while let Some(&byte) = content.get(at) {
        match byte {
            b'\\' if in_quotes => at += 1,
            b'"' if in_quotes => in_quotes = false,
            b'}' if !in_quotes => return Some(at),
            b'{' if !in_quotes => return None,
            _ => {}
        }
        at += 1;
    }
    None
}

fn excerpt(rest: &[u8]) -> String {
    let text = RawText::from(rest).to_string_lossy().into_owned();
    let end = text.find('}').map_or(text.len(), |end| end + 1);
    match text[..end].char_indices().nth(EXCERPT_CHARS) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text[..end].to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Template, UnitValues};
    use super::*;
    use crate::model::Seq;

    fn template(text: &str) -> Template {
        Template::parse(&text.into()).unwrap()
    }

    fn render(text: &str) -> String {
        let values = UnitValues::parse(r#""a b""#).unwrap();
        template(text).render(&values, 0, Seq(7)).unwrap().as_str().unwrap().to_owned()
    }

    #[test]
    fn doubled_braces_and_a_lone_closing_brace_are_literal() {
        assert_eq!(render("{{}}"), "{}");
        assert_eq!(render("{{{}}}"), "{a b}");
        assert_eq!(render("}"), "}");
        assert_eq!(render("}}}"), "}}");
        assert_eq!(render("{{print $1}}"), "{print $1}");
        assert_eq!(render(r#"{{"n":{#},"in":{{"x":"{}"}}}}"#), r#"{"n":7,"in":{"x":"a b"}}"#);
    }

    #[test]
    fn a_text_without_placeholders_is_literal() {
        assert!(template("").is_literal());
        assert!(template("a{{b}}").is_literal());
        assert!(!template("{#}").is_literal());
    }

    #[test]
    fn only_placeholders_of_the_payload_use_the_item() {
        assert!(!template("x{#}{%}{#:05}").uses_item());
        assert!(template("x{/.}").uses_item());
        assert!(template("{id}").uses_item());
        assert!(template("{").uses_item());
    }

    #[test]
    fn a_brace_that_begins_no_placeholder_is_doubled_by_the_correction_and_no_other() {
        let values = UnitValues::parse(r#""a""#).unwrap();
        let corrected = |text| template(text).corrected(Some(&values));

        for (text, wanted) in [
            ("é {", "é {{"),
            ("{print $1}", "{{print $1}}"),
            (r#"{"name":"{}","n":{"x":{#}}}"#, r#"{{"name":"{}","n":{{"x":{#}}}}}"#),
            ("[0-9]{3} {} {/.}", "[0-9]{{3}} {} {/.}"),
            ("a {{x}} {y}", "a {{x}} {{y}}"),
        ] {
            assert_eq!(corrected(text), wanted.into(), "{text}");
            assert!(template(wanted).render(&values, 0, Seq(1)).is_ok(), "{wanted}");
        }
    }

    #[test]
    fn a_template_with_nul_is_refused() {
        assert!(matches!(Template::parse(&"a\0".into()), Err(TemplateError::NulInText { .. })));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in r"(\PC|[{}./#%\n])*") {
            template(&text);
        }

        #[test]
        fn parsing_of_mostly_braces_never_panics(text in r#"[{}ae.x/#%:" \\0-]{0,12}"#) {
            template(&text);
        }

        #[test]
        fn text_without_braces_stays_as_it_is(text in r"[^{}\x00]*") {
            prop_assert_eq!(render(&text), text);
        }

        #[test]
        fn text_with_doubled_braces_stays_as_it_is(text in r"[^\x00]*") {
            let doubled = text.replace('{', "{{").replace('}', "}}");
            prop_assert_eq!(render(&doubled), text);
        }

        #[test]
        fn the_correction_of_any_text_is_accepted(text in r#"[{}ae.x/#%:" \\0-]{0,12}"#) {
            let values = UnitValues::parse(r#""a b.c""#).unwrap();
            let corrected = template(&text).corrected(Some(&values));
            let mut unknown = Vec::new();
            Template::parse(&corrected).unwrap().find_unknown(&values, &mut unknown);
            prop_assert_eq!(unknown, Vec::<String>::new(), "{:?}", corrected);
        }
    }
}
