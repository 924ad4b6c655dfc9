//! Bytes in a URL or in the name of a file.

use std::fmt::Write as _;

/// Writes any bytes as text that has letters, digits and `plain` only, and `%XX` for the others.
pub(super) fn percent(bytes: &[u8], plain: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, &byte| {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").expect("a String takes any text");
        }
        text
    })
}

/// Reads what [`percent`] has written; `None` when it has not.
pub(super) fn bytes_of(text: &str, plain: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let byte = if first == b'%' {
            let (digits, after) = rest.split_at_checked(2)?;
            rest = after;
            u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?
        } else {
            first
        };
        bytes.push(byte);
    }
    (percent(&bytes, plain) == text).then_some(bytes)
}
