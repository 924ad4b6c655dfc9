//! Text that is safe to print on a terminal, and how values look there.

use std::borrow::Cow;

use anstyle::{AnsiColor, Style};

use crate::model::JobStatus;

pub(super) use crate::model::span;

/// Replaces everything that could steer a terminal or reorder its text; line breaks and tabs stay.
pub(super) fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_unsafe) {
        Cow::Owned(text.chars().map(|c| if is_unsafe(c) { char::REPLACEMENT_CHARACTER } else { c }).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Like [`printable`], on one line.
pub(super) fn one_line(text: &str) -> String {
    printable(text).replace(['\n', '\t'], " ")
}

fn is_unsafe(c: char) -> bool {
    let directional = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    directional || (c.is_control() && c != '\n' && c != '\t')
}

/// Shortens text to `width` characters.
pub(super) fn shortened(text: &str, width: usize) -> String {
    let line = one_line(text);
    if line.chars().count() <= width {
        return line;
    }
    line.chars().take(width.saturating_sub(1)).chain(std::iter::once('…')).collect()
}

/// Returns the colour of a job's state; the word says the same.
pub(super) fn style_of(status: JobStatus, interrupted: bool) -> Style {
    let color = match status {
        _ if interrupted => AnsiColor::Red,
        JobStatus::Completed => AnsiColor::Green,
        JobStatus::Failed => AnsiColor::Red,
        JobStatus::Running => AnsiColor::Cyan,
        JobStatus::Paused | JobStatus::AwaitingApproval => AnsiColor::Yellow,
        JobStatus::Partial | JobStatus::Created | JobStatus::Cancelled => return Style::new(),
    };
    Style::new().fg_color(Some(color.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_87_escape_sequences_and_direction_marks_do_not_reach_the_terminal() {
        let nasty = "a\u{1b}[2Jb\u{9b}31mc\u{202e}d\re";

        let safe = printable(nasty);

        assert!(!safe.chars().any(is_unsafe));
        assert_eq!(printable("plain\n\ttext"), "plain\n\ttext");
    }
}
