//! Which characters of somebody else's text are shown as they are: no others reach a terminal, a page or a metric.

use std::borrow::Cow;

/// Replaces everything that could steer a terminal or reorder its text; line breaks and tabs stay.
pub fn printable(text: &str) -> Cow<'_, str> {
    let is_unsafe = |c: char| c == '\r' || steers_terminal(c);
    if text.contains(is_unsafe) {
        Cow::Owned(text.chars().map(|c| if is_unsafe(c) { char::REPLACEMENT_CHARACTER } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Like [`printable`], on one line.
pub fn one_line(text: &str) -> String {
    printable(text).replace(['\n', '\t'], " ")
}

/// Returns `true` if a character steers a terminal or changes the direction of text; a line break, a tab and a carriage
/// return do neither.
pub fn steers_terminal(c: char) -> bool {
    let directional =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    directional || (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
}

/// Returns the number of bytes before a character at the end whose rest is missing.
pub fn whole_characters(bytes: &[u8]) -> usize {
    let is_partial = |start: &usize| {
        std::str::from_utf8(&bytes[*start..])
            .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
    };
    // A character has four bytes at most, so a partial one three.
    (bytes.len().saturating_sub(3)..bytes.len()).find(is_partial).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_87_escape_sequences_and_direction_marks_do_not_reach_the_terminal() {
        let nasty = "a\u{1b}[2Jb\u{9b}31mc\u{202e}d\re\u{61c}f";

        let safe = printable(nasty);

        assert!(!safe.chars().any(|c| c == '\r' || steers_terminal(c)));
        assert_eq!(safe.chars().filter(|c| *c == char::REPLACEMENT_CHARACTER).count(), 5);
        assert_eq!(printable("plain\n\ttext"), "plain\n\ttext");
    }
}
