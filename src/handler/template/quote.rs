//! Quoting for the shell.

/// Returns a text as one word of a shell: as it is where it needs no quotes, in single quotes, or with escapes, which
/// bash, zsh and ksh read, where it is not UTF-8.
///
/// A text with NUL has no such word; it is quoted all the same, and no shell can be given it.
pub fn quote_for_shell(text: &[u8]) -> String {
    // No equals sign: it makes the first word of a command an assignment, and zsh expands one that starts a word.
    let is_safe = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:,@%+".contains(byte);
    match std::str::from_utf8(text) {
        Ok(text) if !text.is_empty() && text.bytes().all(|byte| is_safe(&byte)) => text.to_owned(),
        Ok(text) => {
            let mut quoted = Vec::with_capacity(text.len() + 2);
            push_quoted(&mut quoted, text.as_bytes());
            String::from_utf8(quoted).expect("quotes around text are text")
        }
        Err(_) => format!("$'{}'", text.escape_ascii()),
    }
}

/// Appends a text in single quotes, whatever it holds.
pub(super) fn push_quoted(script: &mut Vec<u8>, text: &[u8]) {
    script.push(b'\'');
    for (n, piece) in text.split(|byte| *byte == b'\'').enumerate() {
        if n > 0 {
            script.extend(br"'\''");
        }
        script.extend(piece);
    }
    script.push(b'\'');
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_needs_quotes_gets_them() {
        assert_eq!(quote_for_shell(b"photos/a-1_b.jpg"), "photos/a-1_b.jpg");
        assert_eq!(quote_for_shell(b""), "''");
        assert_eq!(quote_for_shell(b"a b"), "'a b'");
        assert_eq!(quote_for_shell(b"it's"), r"'it'\''s'");
        assert_eq!(quote_for_shell(b"A=b"), "'A=b'");
        assert_eq!(quote_for_shell(b"~"), "'~'");
        assert_eq!(quote_for_shell("é".as_bytes()), "'é'");
        assert_eq!(quote_for_shell(b"caf\xe9 'x'\n"), r"$'caf\xe9 \'x\'\n'");
    }

    proptest! {
        // Each case is a process.
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_shell_reads_back_what_was_quoted(text in r#"([^\x00]|['"\\$`\n !*~#=-])*"#) {
            let script = format!("printf %s {}", quote_for_shell(text.as_bytes()));

            let output = Command::new("sh").arg("-c").arg(script).output().unwrap();

            prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), text);
        }
    }
}
