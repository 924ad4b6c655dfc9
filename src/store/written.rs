//! What units wrote, byte for byte in columns of text.
//!
//! Text stays as it is, for whoever reads the database with other tools. Bytes that are not UTF-8, text with NUL, at
//! which functions of SQLite end a text, and text that begins with the marker are base64 after the marker. Only this
//! module knows that form; a text of another form after the marker stands for itself.

use std::borrow::Cow;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use diesel::deserialize::{self, FromSqlRow};

use super::columns::{OfBytes, from_text};
use super::connection::{DbConnection, on_server};
use crate::model::RawText;

const MARKER: &str = "job-manager:base64:";

/// The value of a column with what a unit wrote.
#[derive(Debug, FromSqlRow)]
pub(super) struct Written(pub RawText);

impl OfBytes for Written {
    fn of_bytes(bytes: &[u8]) -> deserialize::Result<Self> {
        // Bytes without the marker that are no text came from another program.
        Ok(Self(str::from_utf8(bytes).map_or_else(|_| bytes.into(), |text| read(text.to_owned()))))
    }
}

from_text!(Written);

/// Returns what stands in the column.
pub(super) fn column(written: Option<&RawText>) -> Option<Cow<'_, str>> {
    let written = written?;
    let is_kept = |text: &&str| !text.contains('\0') && !text.starts_with(MARKER);
    Some(match written.as_str().filter(is_kept) {
        Some(text) => text.into(),
        None => [MARKER, &BASE64_STANDARD.encode(written.as_bytes())].concat().into(),
    })
}

/// Returns a text as a database can hold it: one of a server has no NUL, which is marked there.
pub(super) fn kept<'a>(conn: &mut DbConnection, text: &'a str) -> Cow<'a, str> {
    if on_server(conn) { without_nul(text) } else { text.into() }
}

/// Returns `true` if a row may hold that text as it is: with NUL it stands nowhere on a server, and is not looked for there.
pub(super) fn may_stand(conn: &mut DbConnection, text: &str) -> bool {
    !on_server(conn) || !text.contains('\0')
}

/// Marks what a text of a server cannot hold.
pub(super) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}

fn read(column: String) -> RawText {
    match column.strip_prefix(MARKER).map(|base64| BASE64_STANDARD.decode(base64)) {
        Some(Ok(bytes)) => bytes.into(),
        _ => column.into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(bytes: &[u8]) -> String {
        column(Some(&bytes.into())).unwrap().into_owned()
    }

    #[test]
    fn text_stays_as_it_is_and_everything_else_is_behind_the_marker() {
        assert_eq!(column(None), None);
        assert_eq!(written("\u{1b}]0;ü\r\n".as_bytes()), "\u{1b}]0;ü\r\n");
        assert_eq!(written(b"caf\xe9"), "job-manager:base64:Y2Fm6Q==");
        assert_eq!(written(b"a\0"), "job-manager:base64:YQA=");
    }

    #[test]
    fn a_text_that_looks_like_the_form_of_bytes_comes_back_as_it_was() {
        for text in ["job-manager:base64:", "job-manager:base64:Y2Fm6Q==", "job-manager:base64:?"] {
            assert_eq!(read(written(text.as_bytes())).as_str(), Some(text));
        }
        assert_eq!(read("job-manager:base64:?".to_owned()).as_str(), Some("job-manager:base64:?"));
    }

    proptest! {
        #[test]
        fn whatever_was_written_comes_back_and_is_text_without_nul_meanwhile(bytes: Vec<u8>) {
            prop_assert!(!written(&bytes).contains('\0'));
            prop_assert_eq!(read(written(&bytes)).into_bytes(), bytes);
        }
    }
}
