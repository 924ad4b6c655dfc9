//! One shell command per line.

use std::io::BufRead;

use super::lines::bounded_lines;
use super::{Counter, Items, MAX_ITEM_BYTES, Separator};

/// Returns the commands of a text; lines that a shell would not run, blank ones and comments, are left out.
pub fn commands(reader: impl BufRead + Send + 'static, name: &str, separator: Separator) -> Items {
    // A shell would do nothing for the lines that are skipped, so that nothing is lost with them.
    bounded_lines(reader, name, separator, MAX_ITEM_BYTES, Counter::default(), |command| !is_blank(command))
}

/// A command ended by NUL may have several lines, of which one that is no comment is enough.
fn is_blank(command: &str) -> bool {
    command.lines().map(str::trim_ascii_start).all(|line| line.is_empty() || line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn found(text: &'static str, separator: Separator) -> Vec<String> {
        commands(Cursor::new(text), "f", separator).map(|item| item.unwrap().payload).collect()
    }

    #[test]
    fn blank_lines_and_comments_are_no_commands() {
        let found = found("#!/bin/sh\n\n  \n\t# more\necho '{}' # kept\r\n-x\n", Separator::Newline);

        assert_eq!(found, [r#""echo '{}' # kept""#, r#""-x""#]);
    }

    #[test]
    fn commands_ended_by_nul_may_have_several_lines() {
        assert_eq!(found("# first\necho a\0# none\n\0", Separator::Nul), [r##""# first\necho a""##]);
    }

    #[test]
    fn an_error_names_its_line() {
        let error = commands(Cursor::new(b"a\n\xff\n"), "f", Separator::Newline).nth(1).unwrap().unwrap_err();

        assert_eq!(error.to_string(), "f:2: not valid UTF-8");
    }
}
