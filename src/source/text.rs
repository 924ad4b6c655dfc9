//! Reading all texts, whatever they hold: lines, commands, CSV, JSON.
//!
//! A byte order mark is taken away. What is not a text in UTF-8, and would be read as something else, is refused by name with
//! the way out: UTF-16 and UTF-32, archives and compressed files, NUL bytes, and, in formats that are text by definition,
//! bytes that are not UTF-8. What stands before such a place is read as usual, so that the first fault of a text is told.

use std::io::{self, BufRead, Cursor, Read};
use std::sync::Arc;

use super::bounded::find;
use super::utf8::Utf8Check;
use super::{Place, SourceError};

const MARK: &[u8] = b"\xef\xbb\xbf";
/// How what is not a text in UTF-8 begins, what it is, and how it becomes one; longer beginnings first.
const NO_TEXT: [(&[u8], &str, &str); 8] = [
    (b"\xff\xfe\0\0", "UTF-32 text", "convert it with iconv -f UTF-32 -t UTF-8"),
    (b"\0\0\xfe\xff", "UTF-32 text", "convert it with iconv -f UTF-32 -t UTF-8"),
    (b"\xff\xfe", "UTF-16 text", "convert it with iconv -f UTF-16 -t UTF-8"),
    (b"\xfe\xff", "UTF-16 text", "convert it with iconv -f UTF-16 -t UTF-8"),
    (b"\x1f\x8b", "compressed", "unpack it with gzip -dc"),
    (b"\x28\xb5\x2f\xfd", "compressed", "unpack it with zstd -dc"),
    (b"\xfd7zX", "compressed", "unpack it with xz -dc"),
    (b"PK\x03\x04", "a zip archive, as spreadsheets are", "save the sheet as CSV"),
];
const BEGINNING: u64 = 4;

/// What a text may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// UTF-8 without NUL.
    Utf8,
    /// Any bytes but NUL.
    Bytes,
    /// Any bytes.
    BytesAndNul,
}

/// A text that is checked while it is read.
pub(super) struct Text<R> {
    reader: io::Chain<Cursor<Vec<u8>>, R>,
    name: Arc<str>,
    holds: Holds,
    is_begun: bool,
    /// Bytes at the front of the reader's buffer that were looked at and are fine.
    checked: usize,
    fault: Option<Fault>,
    at: Position,
    utf8: Utf8Check,
}

/// What ends a text, whoever reads on: that is told each time.
#[derive(Debug, Clone)]
enum Fault {
    /// It is something else: what, and how it becomes a text.
    NoText(&'static str, &'static str),
    NotUtf8(Place, u64),
    Nul(Place, u64),
}

impl Fault {
    fn in_text(&self, name: &str) -> SourceError {
        match self.clone() {
            Self::NoText(what, remedy) => SourceError::NoText { name: name.to_owned(), what, remedy },
            Self::NotUtf8(place, byte) => SourceError::NotUtf8 { place, byte },
            Self::Nul(place, byte) => SourceError::Nul { place, byte },
        }
    }
}

/// Where the next byte stands.
struct Position {
    line: u64,
    /// Bytes of its line before it.
    bytes: u64,
}

impl<R: BufRead> Text<R> {
    /// Takes a text; nothing is read yet.
    pub fn new(reader: R, name: &str, holds: Holds) -> Text<R> {
        Text {
            reader: Cursor::new(Vec::new()).chain(reader),
            name: name.into(),
            holds,
            is_begun: false,
            checked: 0,
            fault: None,
            at: Position { line: 1, bytes: 0 },
            utf8: Utf8Check::default(),
        }
    }

    /// Looks at the first bytes: none of a mark is kept.
    fn begin(&mut self) -> io::Result<()> {
        let (beginning, rest) = self.reader.get_mut();
        let beginning = beginning.get_mut();
        rest.take(BEGINNING).read_to_end(beginning)?;
        self.is_begun = true;
        if let Some((_, what, remedy)) = NO_TEXT.iter().find(|(start, ..)| beginning.starts_with(start)) {
            self.fault = Some(Fault::NoText(what, remedy));
        } else if beginning.starts_with(MARK) {
            beginning.drain(..MARK.len());
        }
        Ok(())
    }

    /// Returns its name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Returns the place of a line.
    pub fn line(&self, line: u64) -> Place {
        Place::Line(Arc::clone(&self.name), line)
    }

    /// Returns why the text cannot be read on.
    pub fn failure(&self, error: io::Error) -> SourceError {
        failure(&self.name, error)
    }

    /// Looks at what was read new, up to the first fault.
    fn check(&mut self) -> io::Result<()> {
        let buffer = loop {
            match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        let nul = if self.holds == Holds::BytesAndNul { None } else { find(buffer, 0) };
        let text = &buffer[..nul.unwrap_or(buffer.len())];
        // A NUL ends the text as far as characters are concerned: one that is cut by it is broken.
        let is_end = text.is_empty();
        let broken = if self.holds == Holds::Utf8 { self.utf8.follow(text, is_end) } else { None };
        self.checked = broken.as_ref().map_or(text.len(), |broken| broken.valid);
        self.at.pass(&buffer[..self.checked]);
        let place = Place::Line(Arc::clone(&self.name), self.at.line);
        let byte = self.at.bytes + 1;
        if let Some(broken) = broken {
            self.fault = Some(Fault::NotUtf8(place, byte - broken.before as u64));
        } else if nul.is_some() {
            self.fault = Some(Fault::Nul(place, byte));
        }
        Ok(())
    }
}

/// Returns why a text called `name` cannot be read on: what its reader found, when that is it.
pub(super) fn failure(name: &str, error: io::Error) -> SourceError {
    match error.downcast::<SourceError>() {
        Ok(found) => found,
        Err(source) => SourceError::Unreadable { name: name.to_owned(), source },
    }
}

impl Position {
    fn pass(&mut self, bytes: &[u8]) {
        match bytes.contains(&b'\n').then(|| bytes.iter().rposition(|&byte| byte == b'\n')).flatten() {
            Some(last) => {
                self.line += bytes.iter().map(|&byte| u64::from(byte == b'\n')).sum::<u64>();
                self.bytes = (bytes.len() - last - 1) as u64;
            }
            None => self.bytes += bytes.len() as u64,
        }
    }
}

impl<R: BufRead> BufRead for Text<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if !self.is_begun {
            self.begin()?;
        }
        if self.checked == 0 && self.fault.is_none() {
            self.check()?;
        }
        if self.checked == 0
            && let Some(fault) = &self.fault
        {
            return Err(io::Error::other(fault.in_text(&self.name)));
        }
        Ok(&self.reader.fill_buf()?[..self.checked])
    }

    fn consume(&mut self, amount: usize) {
        self.checked -= amount;
        self.reader.consume(amount);
    }
}

impl<R: BufRead> Read for Text<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use proptest::prelude::*;

    use super::*;

    /// Reads a text through buffers of a size; returns what was read and what was wrong then.
    fn read(bytes: &[u8], holds: Holds, buffer: usize) -> (Vec<u8>, Option<String>) {
        let mut text = Text::new(BufReader::with_capacity(buffer, bytes), "f", holds);
        let mut found = Vec::new();
        let error = text.read_to_end(&mut found).err();
        let error = error.map(|error| text.failure(error).to_string());
        // Whoever reads on is told the same, and nothing of what comes after it.
        let again = text.read_to_end(&mut found).err().map(|error| text.failure(error).to_string());
        assert_eq!(error, again);
        (found, error)
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text_and_what_looks_like_a_part_of_one_is() {
        for holds in [Holds::Utf8, Holds::Bytes, Holds::BytesAndNul] {
            assert_eq!(read(b"\xef\xbb\xbfa", holds, 1), (b"a".to_vec(), None));
            assert_eq!(read(b"\xef\xbb\xbf", holds, 9), (b"".to_vec(), None));
            assert_eq!(read("\u{feff}\u{feff}x".as_bytes(), holds, 2).0, "\u{feff}x".as_bytes());
        }
        assert_eq!(read(b"\xef\xbbx", Holds::Bytes, 1), (b"\xef\xbbx".to_vec(), None));
    }

    #[test]
    fn what_is_no_text_in_utf_8_is_refused_by_name_with_the_way_out() {
        for (bytes, words) in [
            (&b"\xff\xfea\0"[..], "f is UTF-16 text, convert it with iconv -f UTF-16 -t UTF-8"),
            (b"\xfe\xff\0a", "f is UTF-16 text,"),
            (b"\xff\xfe", "f is UTF-16 text,"),
            (b"\xff\xfe\0\0a\0\0\0", "f is UTF-32 text,"),
            (b"\0\0\xfe\xff\0\0\0a", "f is UTF-32 text,"),
            (b"\x1f\x8b\x08\0", "gzip -dc"),
            (b"PK\x03\x04\x14", "save the sheet as CSV"),
        ] {
            for holds in [Holds::Utf8, Holds::Bytes, Holds::BytesAndNul] {
                let (found, error) = read(bytes, holds, 1);
                assert!(found.is_empty() && error.as_ref().unwrap().contains(words), "{error:?}");
            }
        }
    }

    #[test]
    fn a_nul_byte_and_bytes_that_are_not_utf_8_are_told_by_line_and_byte_after_what_is_before_them() {
        let text = "a\né".as_bytes();
        for buffer in 1..9 {
            let nul = read(&[text, b"\0b"].concat(), Holds::Bytes, buffer);
            let broken = read(&[text, b"\xe9b\0"].concat(), Holds::Utf8, buffer);
            let cut = read(&[text, b"\xe2\x82"].concat(), Holds::Utf8, buffer);

            assert_eq!(nul.0, text);
            assert!(nul.1.unwrap().starts_with("f:2: a NUL byte at byte 3"));
            assert!(broken.0.starts_with(text));
            assert!(broken.1.unwrap().starts_with("f:2: not valid UTF-8 at byte 3,"), "{buffer}");
            assert!(cut.1.unwrap().starts_with("f:2: not valid UTF-8 at byte "));
        }
    }

    #[test]
    fn a_character_that_is_cut_by_the_end_of_a_buffer_and_broken_is_told_as_often_as_somebody_reads_on() {
        for buffer in 1..9 {
            let (found, error) = read(&[14, 1, 10, 224, 160, 1], Holds::Utf8, buffer);
            assert!(found.starts_with(&[14, 1, 10]));
            assert!(error.unwrap().starts_with("f:2: not valid UTF-8 at byte 1,"), "{buffer}");
        }
    }

    proptest! {
        #[test]
        fn the_size_of_buffers_changes_nothing(bytes: Vec<u8>, buffer in 1_usize..20) {
            for holds in [Holds::Bytes, Holds::BytesAndNul] {
                prop_assert_eq!(read(&bytes, holds, buffer), read(&bytes, holds, 4096));
            }
            let valid = std::str::from_utf8(&bytes).is_ok_and(|text| !text.contains('\0'));
            if !NO_TEXT.iter().any(|(start, ..)| bytes.starts_with(start)) {
                prop_assert_eq!(read(&bytes, Holds::Utf8, buffer).1.is_none(), valid);
                prop_assert_eq!(read(&bytes, Holds::Utf8, buffer).1, read(&bytes, Holds::Utf8, 4096).1);
            }
        }

        #[test]
        fn text_in_any_script_is_read_as_it_is(text in "[^\\x00\u{feff}]{0,40}", buffer in 1_usize..9) {
            prop_assume!(!NO_TEXT.iter().any(|(start, ..)| text.as_bytes().starts_with(start)));
            prop_assert_eq!(read(text.as_bytes(), Holds::Utf8, buffer), (text.into_bytes(), None));
        }
    }
}
