//! Items separated by line breaks or NUL.

use std::io::BufRead;

use super::bounded::{Found, read_bounded};
use super::item::{json_text, until_error};
use super::text::{Holds, Text};
use super::{Item, Items, MAX_ITEM_BYTES, Notes, Place, SourceError};
use crate::model::counted;

/// What ends an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// A line break, with or without a carriage return before it.
    Newline,
    /// A line break, with or without a carriage return before it; an empty line is an empty item.
    EachNewline,
    /// NUL; items may hold line breaks and be empty.
    Nul,
}

/// Returns the items of a text, byte for byte; empty lines are skipped and noted.
pub fn lines(reader: impl BufRead + Send + 'static, name: &str, separator: Separator, notes: &Notes) -> Items {
    let file = name.to_owned();
    let skipped = notes.count(move |number| format!("{file}: {} skipped", counted(number, "empty line")));
    let (mut lines, notes, file) = (Lines::new(reader, name, separator), notes.clone(), name.to_owned());
    until_error(std::iter::from_fn(move || {
        loop {
            return Some(match lines.read() {
                Ok(Some([])) if separator == Separator::Newline => {
                    skipped.increase();
                    continue;
                }
                Ok(Some(bytes)) => {
                    let payload = json_text(bytes);
                    if lines.after_nul > 0 {
                        let number = counted(lines.after_nul, "line");
                        notes.say(format!("{file}: the text after the last NUL has {number} and is one item"));
                    }
                    Ok(Item { payload, place: lines.place() })
                }
                Ok(None) => return None,
                Err(error) => Err(error),
            });
        }
    }))
}

/// A text, line by line; none is longer than an item.
pub(super) struct Lines<R> {
    text: Text<R>,
    separator: Separator,
    limit: usize,
    buffer: Vec<u8>,
    number: u64,
    /// How many lines the text after the last NUL has, once it is read and if it has a line break.
    after_nul: u64,
}

impl<R: BufRead> Lines<R> {
    /// Opens a text of any bytes.
    pub fn new(reader: R, name: &str, separator: Separator) -> Lines<R> {
        let holds = match separator {
            Separator::Newline | Separator::EachNewline => Holds::Bytes,
            Separator::Nul => Holds::BytesAndNul,
        };
        Self::of(Text::new(reader, name, holds), separator)
    }

    /// Opens a text whose lines are UTF-8.
    pub fn of_utf8(reader: R, name: &str) -> Lines<R> {
        Self::of(Text::new(reader, name, Holds::Utf8), Separator::Newline)
    }

    fn of(text: Text<R>, separator: Separator) -> Lines<R> {
        Lines { text, separator, limit: MAX_ITEM_BYTES, buffer: Vec::new(), number: 0, after_nul: 0 }
    }

    /// Returns the next line without what ends it.
    pub fn read(&mut self) -> Result<Option<&[u8]>, SourceError> {
        let byte = if self.separator == Separator::Nul { 0 } else { b'\n' };
        self.number += 1;
        self.buffer.clear();
        let found = read_bounded(&mut self.text, byte, self.limit, &mut self.buffer);
        match found.map_err(|error| self.text.failure(error))? {
            Found::End => return Ok(None),
            Found::TooLong => return Err(SourceError::TooLong { place: self.place(), limit: self.limit }),
            Found::Piece { is_ended } => {
                self.refuse_lines_without_nul(is_ended)?;
                self.refuse_carriage_returns_alone(is_ended)?;
                if self.separator == Separator::Nul && !is_ended && self.buffer.contains(&b'\n') {
                    self.after_nul =
                        self.buffer.strip_suffix(b"\n").unwrap_or(&self.buffer).split(|byte| *byte == b'\n').count()
                            as u64;
                }
            }
        }
        let line = self.buffer.as_slice();
        Ok(Some(match self.separator {
            Separator::Newline | Separator::EachNewline => line.strip_suffix(b"\r").unwrap_or(line),
            Separator::Nul => line,
        }))
    }

    /// Returns the place of the line that was read last.
    pub fn place(&self) -> Place {
        self.text.line(self.number)
    }

    /// Refuses a text of lines that would be one item because it has no NUL at all.
    fn refuse_lines_without_nul(&self, is_ended: bool) -> Result<(), SourceError> {
        let is_suspect = self.separator == Separator::Nul && self.number == 1 && !is_ended;
        if is_suspect && self.buffer.contains(&b'\n') {
            return Err(SourceError::NoNul { name: self.text.name().to_string() });
        }
        Ok(())
    }

    /// Refuses a text whose lines end in carriage returns alone, and that would be one item because it has no line break.
    fn refuse_carriage_returns_alone(&self, is_ended: bool) -> Result<(), SourceError> {
        let is_suspect = self.separator != Separator::Nul && self.number == 1 && !is_ended;
        let line = self.buffer.strip_suffix(b"\r").unwrap_or(&self.buffer);
        if is_suspect && line.contains(&b'\r') {
            return Err(SourceError::CarriageReturn { place: self.place() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn found(text: &[u8], separator: Separator) -> (Vec<String>, Option<String>) {
        let (mut payloads, mut error) = (Vec::new(), None);
        for item in lines(Cursor::new(text.to_vec()), "f", separator, &Notes::default()) {
            match item {
                Ok(item) => payloads.push(item.payload),
                Err(found) => error = Some(found.to_string()),
            }
        }
        (payloads, error)
    }

    fn payloads(text: &[u8], separator: Separator) -> Vec<String> {
        let (payloads, error) = found(text, separator);
        assert_eq!(error, None);
        payloads
    }

    #[test]
    fn each_line_is_one_item_whatever_it_holds() {
        let found = payloads(b"\xef\xbb\xbfa b\r\n\n\"q\" $(x) \\\n\tlast", Separator::Newline);

        assert_eq!(found, [r#""a b""#, r#""\"q\" $(x) \\""#, r#""\tlast""#]);
    }

    #[test]
    fn an_empty_line_can_be_an_empty_item() {
        assert_eq!(payloads(b"a\n\nb\r\n", Separator::EachNewline), [r#""a""#, r#""""#, r#""b""#]);
    }

    #[test]
    fn items_ended_by_nul_may_hold_line_breaks_and_be_empty() {
        assert_eq!(payloads(b"a\nb\r\n\0\0c", Separator::Nul), [r#""a\nb\r\n""#, r#""""#, r#""c""#]);
        assert_eq!(payloads(b"one", Separator::Nul), [r#""one""#]);
    }

    #[test]
    fn bytes_that_are_not_utf_8_are_kept() {
        for separator in [Separator::Newline, Separator::Nul] {
            assert_eq!(payloads(b"caf\xe9", separator), ["{\"text\":\"caf\u{fffd}\",\"base64\":\"Y2Fm6Q==\"}"]);
        }
    }

    #[test]
    fn lines_taken_for_items_ended_by_nul_and_the_other_way_round_are_refused() {
        assert_eq!(found(b"a\nb\n", Separator::Nul), (vec![], Some("f has lines and no NUL".to_owned())));
        let (before, error) = found(b"a\nb\0c\0", Separator::Newline);
        assert_eq!(before, [r#""a""#]);
        assert!(error.unwrap().starts_with("f:2: a NUL byte at byte 2"));
    }

    #[test]
    fn lines_that_end_in_carriage_returns_alone_are_refused_and_one_inside_a_line_is_kept() {
        for separator in [Separator::Newline, Separator::EachNewline] {
            for text in ["a\rb\rc\r", "a\rb"] {
                let (before, error) = found(text.as_bytes(), separator);
                assert_eq!(before, [""; 0]);
                assert!(error.unwrap().starts_with("f:1: a carriage return without a line break"));
            }
            assert_eq!(payloads(b"a\rb\nc\rd", separator), [r#""a\rb""#, r#""c\rd""#]);
            assert_eq!(payloads(b"a\r", separator), [r#""a""#]);
        }
        assert_eq!(payloads(b"a\rb", Separator::Nul), [r#""a\rb""#]);
    }

    #[test]
    fn lines_behind_the_last_nul_are_told_as_one_item() {
        for (text, number) in [("a\0b\nc\n", "2 lines"), ("a\0b\n", "1 line"), ("a\0b\nc\0", ""), ("a\0b", "")] {
            let notes = Notes::default();

            let found = lines(Cursor::new(text), "f", Separator::Nul, &notes).count();

            let told = format!("f: the text after the last NUL has {number} and is one item");
            assert_eq!((found, notes.texts()), (2, if number.is_empty() { vec![] } else { vec![told] }));
        }
    }

    #[test]
    fn empty_lines_are_skipped_and_counted() {
        let notes = Notes::default();

        let found = lines(Cursor::new("a\n\n\r\nb\n"), "f", Separator::Newline, &notes).count();

        assert_eq!((found, notes.texts()), (2, vec!["f: 2 empty lines skipped".to_owned()]));
    }

    #[test]
    fn an_error_names_its_line_and_ends_the_stream() {
        let mut items = lines(Cursor::new(b"ok\nx\0\nnever".to_vec()), "f", Separator::Newline, &Notes::default());

        assert!(items.next().unwrap().is_ok());
        assert!(items.next().unwrap().unwrap_err().to_string().starts_with("f:2: a NUL byte at byte 2"));
        assert!(items.next().is_none());
    }

    #[test]
    fn fault_92_a_line_beyond_the_limit_is_refused_without_being_read_whole() {
        let endless = std::io::BufReader::new(std::io::repeat(b'x'));

        let mut lines = Lines { limit: 1000, ..Lines::new(endless, "f", Separator::Newline) };

        assert_eq!(lines.read().unwrap_err().to_string(), "f:1: an item may have at most 1000 bytes");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            lines(Cursor::new(bytes.clone()), "x", Separator::Newline, &Notes::default()).for_each(drop);
            lines(Cursor::new(bytes), "x", Separator::Nul, &Notes::default()).for_each(drop);
        }
    }
}
