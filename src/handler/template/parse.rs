//! From text to parts.

use super::placeholder::Placeholder;
use super::{Part, TemplateError};

/// Splits a text into literal parts, braces unescaped and neighbours joined, and placeholders.
pub(super) fn parse_parts(text: &str) -> Result<Vec<Part>, TemplateError> {
    if let Some(at) = text.find('\0') {
        return Err(TemplateError::NulInText { position: position(text, at), text: text.to_owned() });
    }
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        literal.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("{{") {
            literal.push('{');
            rest = after;
        } else if let Some(after) = rest.strip_prefix("}}").or_else(|| rest.strip_prefix('}')) {
            literal.push('}');
            rest = after;
        } else {
            let (placeholder, after) = read_placeholder(rest, text)?;
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Placeholder(placeholder));
            rest = after;
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    Ok(parts)
}

/// Reads the placeholder at the start of `rest`, the end of `text`, and returns it with what follows.
fn read_placeholder<'a>(rest: &'a str, text: &str) -> Result<(Placeholder, &'a str), TemplateError> {
    let position = position(text, text.len() - rest.len());
    let Some(end) = rest.find('}') else {
        return Err(TemplateError::Unclosed { position, text: text.to_owned() });
    };
    match Placeholder::named(&rest[1..end]) {
        Some(placeholder) => Ok((placeholder, &rest[end + 1..])),
        None => {
            let found = rest[..=end].to_owned();
            Err(TemplateError::NotAPlaceholder { found, position, text: text.to_owned() })
        }
    }
}

fn position(text: &str, at: usize) -> usize {
    text[..at].chars().count() + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Template, UnitValues};
    use super::*;
    use crate::model::Seq;

    fn render(text: &str) -> String {
        let values = UnitValues::parse(r#""a b""#).unwrap();
        Template::parse(text).unwrap().render(&values, 0, Seq(7)).unwrap()
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
        assert!(Template::parse("").unwrap().is_literal());
        assert!(Template::parse("a{{b}}").unwrap().is_literal());
        assert!(!Template::parse("{#}").unwrap().is_literal());
    }

    #[test]
    fn only_placeholders_of_the_payload_use_the_item() {
        assert!(!Template::parse("x{#}{%}").unwrap().uses_item());
        assert!(Template::parse("x{/.}").unwrap().uses_item());
        assert!(Template::parse("{id}").unwrap().uses_item());
    }

    #[test]
    fn an_unclosed_brace_is_named_with_its_place() {
        let error = Template::parse("é {").unwrap_err();

        assert_eq!(
            error.to_string(),
            r#""{" at character 3 of "é {" is never closed; a literal brace is written "{{""#
        );
    }

    #[test]
    fn an_odd_name_is_named_with_its_place() {
        let error = Template::parse("awk {print $1}").unwrap_err();

        assert_eq!(
            error.to_string(),
            r#""{print $1}" at character 5 of "awk {print $1}" is not a placeholder; literal braces are written "{{" and "}}""#
        );
    }

    #[test]
    fn a_template_with_nul_is_refused() {
        assert!(matches!(Template::parse("a\0"), Err(TemplateError::NulInText { position: 2, .. })));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in r"(\PC|[{}./#%\x00\n])*") {
            drop(Template::parse(&text));
        }

        #[test]
        fn parsing_of_mostly_braces_never_panics(text in "[{}ae.x/#% ]{0,12}") {
            drop(Template::parse(&text));
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
    }
}
