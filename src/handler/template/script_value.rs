//! Values of a placeholder in a script: one, or several words.

use std::borrow::Cow;

use super::placeholder::{At, Placeholder};
use super::quote::push_quoted;
use super::spread::{Turns, turns};
use super::{Part, TemplateError, UnitValues};

/// The unquoted value of a placeholder.
pub(super) enum ScriptValue<'v> {
    One(Cow<'v, [u8]>),
    /// Values that are words of their own, one for each item or part.
    Each(Vec<Cow<'v, [u8]>>),
}

impl<'v> ScriptValue<'v> {
    /// Returns what a placeholder stands for.
    pub fn of(placeholder: &'v Placeholder, values: &'v UnitValues<'_>, at: At) -> Result<Self, TemplateError> {
        match turns(std::iter::once(placeholder), true, values)? {
            Turns::Once(values) => placeholder.value(values, at).map(Self::One),
            Turns::Each(several) => {
                several.iter().map(|values| placeholder.value(values, at)).collect::<Result<_, _>>().map(Self::Each)
            }
        }
    }

    /// Returns the bytes that the value takes in a script, at most.
    pub fn quoted_length(&self) -> usize {
        let length = |value: &[u8]| {
            let mut quoted = Vec::new();
            push_quoted(&mut quoted, value);
            // A blank, or double quotes that are closed and opened again.
            quoted.len() + 2
        };
        match self {
            Self::One(value) => length(value),
            Self::Each(values) => values.iter().map(|value| length(value)).sum(),
        }
    }
}

/// Returns `true` if several words can stand in place of a placeholder: it is a word by itself, and not the file of a
/// redirection, which is one.
pub(super) fn holds_several(parts: &[Part], index: usize) -> bool {
    let text = |at: Option<usize>| match at.and_then(|at| parts.get(at)) {
        None => Some(&b""[..]),
        Some(Part::Text(text)) => Some(text.as_slice()),
        Some(Part::Placeholder(_)) => None,
    };
    let is_separator = |byte: &u8| byte.is_ascii_whitespace() || b";|&()".contains(byte);
    let (Some(before), Some(after)) = (text(index.checked_sub(1)), text(Some(index + 1))) else { return false };
    let is_redirected = before.trim_ascii_end().last().is_some_and(|byte| b"<>".contains(byte));
    before.last().is_none_or(is_separator)
        && !is_redirected
        && after.first().is_none_or(|byte| is_separator(byte) || b"<>".contains(byte))
}

/// Appends values as words.
pub(super) fn push_each(script: &mut Vec<u8>, values: &[Cow<'_, [u8]>]) {
    for (number, value) in values.iter().enumerate() {
        if number > 0 {
            script.push(b' ');
        }
        push_quoted(script, value);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Template;
    use super::*;

    #[test]
    fn several_words_stand_only_where_the_shell_takes_a_word() {
        let holds = |text: &str| {
            let template = Template::parse(&text.into()).unwrap();
            let index = template.parts.iter().position(|part| matches!(part, Part::Placeholder(_))).unwrap();
            holds_several(&template.parts, index)
        };

        for text in ["{}", "rm {}", "rm {};", "(rm {})", "a|b {}|c", "wc {}>f", "for x in {}\ndo :; done"] {
            assert!(holds(text), "{text}");
        }
        for text in ["x{}", "{}x", "x={}", "cat <{}", "cat < {}", "cat >{}", "cat 2> {}", "{}{}", "\"{}\"", "a/{}"] {
            assert!(!holds(text), "{text}");
        }
    }
}
