//! One shell command per line.

use std::io::BufRead;

use super::item::{json_text, until_error};
use super::lines::Lines;
use super::{Item, Items, Separator, SourceError};

/// Returns the commands of a text. Blank lines and comments are skipped: a shell would do nothing for them.
pub fn commands(reader: impl BufRead + Send + 'static, name: &str, separator: Separator) -> Items {
    let mut lines = Lines::new(reader, name, separator);
    until_error(std::iter::from_fn(move || {
        loop {
            return Some(match lines.read() {
                Ok(Some(command)) if is_blank(command) => continue,
                Ok(Some(command)) if separator == Separator::Newline && goes_on(command) => {
                    Err(SourceError::CommandGoesOn { place: lines.place() })
                }
                Ok(Some(command)) => Ok(Item { payload: json_text(command), place: lines.place() }),
                Ok(None) => return None,
                Err(error) => Err(error),
            });
        }
    }))
}

/// A command ended by NUL may have several lines, of which one that is no comment is enough.
fn is_blank(command: &[u8]) -> bool {
    command.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_start).all(|line| matches!(line, [] | [b'#', ..]))
}

/// Returns `true` if a shell would read the next line as a part of this one.
fn goes_on(command: &[u8]) -> bool {
    command.iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 1
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
        let found = found("\u{feff}#!/bin/sh\n\n  \n\t# more\necho '{}' # kept\r\n-x\n", Separator::Newline);

        assert_eq!(found, [r#""echo '{}' # kept""#, r#""-x""#]);
    }

    #[test]
    fn commands_ended_by_nul_may_have_several_lines() {
        assert_eq!(found("# first\necho a\0# none\n\0", Separator::Nul), [r##""# first\necho a""##]);
        assert_eq!(found("echo a \\\n b\0", Separator::Nul), [r#""echo a \\\n b""#]);
    }

    #[test]
    fn a_command_that_goes_on_in_the_next_line_is_refused_and_not_run_in_two_halves() {
        let error = |text: &'static str| commands(Cursor::new(text), "f", Separator::Newline).find_map(Result::err);

        let halves = error("echo a\nrm \\\r\n-r x\n").unwrap().to_string();

        assert!(halves.starts_with("f:2: the command goes on in the next line"), "{halves}");
        assert!(error("echo a\\\\\n").is_none());
    }

    #[test]
    fn an_error_names_its_line() {
        let error = commands(Cursor::new(b"a\n\0\n"), "f", Separator::Newline).nth(1).unwrap().unwrap_err();

        assert!(error.to_string().starts_with("f:2: a NUL byte at byte 1"), "{error}");
    }
}
