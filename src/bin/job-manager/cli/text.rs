//! How values are laid out; which of their characters reach a terminal is decided on the way out.

use anstyle::{AnsiColor, Style};
use job_manager::model::{JobStatus, RawText};

pub(super) use job_manager::text::span;

/// Puts text on one line.
pub(super) fn one_line(text: &str) -> String {
    text.replace(['\n', '\t'], " ")
}

/// Puts the key of a unit or the name of a group, as its column holds it, on one line.
pub(super) fn of_column(column: &str) -> String {
    one_line(&RawText::of_column(column).to_string_lossy())
}

/// Shortens text to `width` characters.
pub(super) fn shortened(text: &str, width: usize) -> String {
    let line = one_line(text);
    if line.chars().count() <= width {
        return line;
    }
    line.chars().take(width.saturating_sub(1)).chain(std::iter::once('…')).collect()
}

/// Breaks words into lines of at most `width` characters; a longer word has a line of its own.
pub(super) fn wrapped(words: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
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
