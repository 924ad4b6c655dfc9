//! Quoting for the shell.

/// Returns a text as one word of a POSIX shell: in single quotes, or as it is where none are needed.
///
/// A text with NUL has no such word; it is quoted all the same, and no shell can be given it.
pub fn quote_for_shell(text: &str) -> String {
    // No equals sign: it makes the first word of a command an assignment, and zsh expands one that starts a word.
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:,@%+".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_safe) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    push_quoted(&mut quoted, text);
    quoted
}

/// Appends a text in single quotes, whatever it holds.
pub(super) fn push_quoted(script: &mut String, text: &str) {
    script.push('\'');
    for (n, piece) in text.split('\'').enumerate() {
        if n > 0 {
            script.push_str(r"'\''");
        }
        script.push_str(piece);
    }
    script.push('\'');
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_needs_quotes_gets_them() {
        assert_eq!(quote_for_shell("photos/a-1_b.jpg"), "photos/a-1_b.jpg");
        assert_eq!(quote_for_shell(""), "''");
        assert_eq!(quote_for_shell("a b"), "'a b'");
        assert_eq!(quote_for_shell("it's"), r"'it'\''s'");
        assert_eq!(quote_for_shell("A=b"), "'A=b'");
        assert_eq!(quote_for_shell("~"), "'~'");
        assert_eq!(quote_for_shell("é"), "'é'");
    }

    proptest! {
        // Each case is a process.
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_shell_reads_back_what_was_quoted(text in r#"([^\x00]|['"\\$`\n !*~#=-])*"#) {
            let script = format!("printf %s {}", quote_for_shell(&text));

            let output = Command::new("sh").arg("-c").arg(script).output().unwrap();

            prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
        }
    }
}
