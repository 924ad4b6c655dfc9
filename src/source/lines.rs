//! Items separated by line breaks or NUL.

use std::io::BufRead;
use std::sync::Arc;

use super::bounded::read_bounded;
use super::item::{json_text, until_error};
use super::{Counter, Item, Items, MAX_ITEM_BYTES, Notes, Place, SourceError, counted};

/// What ends an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// A line break; a carriage return before it is dropped, and empty lines are left out.
    Newline,
    /// A line break; a carriage return before it is dropped, and an empty line is an empty item.
    EachNewline,
    /// NUL; items may hold line breaks, and empty items count.
    Nul,
}

/// Returns the items of a text; how many empty lines were skipped is noted.
pub fn lines(reader: impl BufRead + Send + 'static, name: &str, separator: Separator, notes: &Notes) -> Items {
    let file = name.to_owned();
    let skipped = notes.count(move |number| format!("{file}: {} skipped", counted(number, "empty line")));
    bounded_lines(reader, name, separator, MAX_ITEM_BYTES, skipped, |_| true)
}

/// Returns the items that `is_wanted`, none of them longer than `limit`.
pub(super) fn bounded_lines(
    mut reader: impl BufRead + Send + 'static,
    name: &str,
    separator: Separator,
    limit: usize,
    skipped: Counter,
    is_wanted: fn(&str) -> bool,
) -> Items {
    let name: Arc<str> = name.into();
    let mut buffer = Vec::new();
    let mut line = 0;
    until_error(std::iter::from_fn(move || {
        loop {
            line += 1;
            let place = || Place::Line(Arc::clone(&name), line);
            let byte = if separator == Separator::Nul { 0 } else { b'\n' };
            match read_bounded(&mut reader, byte, limit, &mut buffer) {
                Ok(Some(true)) => {}
                Ok(Some(false)) => return Some(Err(SourceError::TooLong { place: place(), limit })),
                Ok(None) => return None,
                Err(source) => return Some(Err(SourceError::Unreadable { name: name.to_string(), source })),
            }
            let bytes = match separator {
                Separator::Newline | Separator::EachNewline => buffer.strip_suffix(b"\r").unwrap_or(&buffer),
                Separator::Nul => &buffer,
            };
            if separator == Separator::Newline && bytes.is_empty() {
                skipped.increase();
                continue;
            }
            return Some(match std::str::from_utf8(bytes) {
                Ok(text) if !is_wanted(text) => continue,
                Ok(text) => Ok(Item { payload: json_text(text), place: place() }),
                Err(_) => Err(SourceError::NotUtf8 { place: place() }),
            });
        }
    }))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn payloads(text: &[u8], separator: Separator) -> Vec<String> {
        lines(Cursor::new(text.to_vec()), "x", separator, &Notes::default()).map(|item| item.unwrap().payload).collect()
    }

    #[test]
    fn each_line_is_one_item_whatever_it_holds() {
        let found = payloads(b"a b\r\n\n\"q\" $(x) \\\n\tlast", Separator::Newline);

        assert_eq!(found, [r#""a b""#, r#""\"q\" $(x) \\""#, r#""\tlast""#]);
    }

    #[test]
    fn an_empty_line_can_be_an_empty_item() {
        assert_eq!(payloads(b"a\n\nb\r\n", Separator::EachNewline), [r#""a""#, r#""""#, r#""b""#]);
    }

    #[test]
    fn items_ended_by_nul_may_hold_line_breaks_and_be_empty() {
        assert_eq!(payloads(b"a\nb\0\0c", Separator::Nul), [r#""a\nb""#, r#""""#, r#""c""#]);
    }

    #[test]
    fn an_error_names_its_line_and_ends_the_stream() {
        let mut items = lines(Cursor::new(b"ok\n\xff\nnever".to_vec()), "f", Separator::Newline, &Notes::default());

        assert!(items.next().unwrap().is_ok());
        assert_eq!(items.next().unwrap().unwrap_err().to_string(), "f:2: not valid UTF-8");
        assert!(items.next().is_none());
    }

    #[test]
    fn fault_92_a_line_beyond_the_limit_is_refused_without_being_read_whole() {
        let endless = std::io::BufReader::new(std::io::repeat(b'x'));

        let error = bounded_lines(endless, "f", Separator::Newline, 1000, Counter::default(), |_| true);
        let error = error.map(Result::unwrap_err).next().unwrap();

        assert_eq!(error.to_string(), "f:1: an item may have 1000 bytes at the most");
    }

    #[test]
    fn empty_lines_are_skipped_and_counted() {
        let notes = Notes::default();

        let found = lines(Cursor::new("a\n\n\r\nb\n"), "f", Separator::Newline, &notes).count();

        assert_eq!((found, notes.texts()), (2, vec!["f: 2 empty lines skipped".to_owned()]));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            lines(Cursor::new(bytes.clone()), "x", Separator::Newline, &Notes::default()).for_each(drop);
            lines(Cursor::new(bytes), "x", Separator::Nul, &Notes::default()).for_each(drop);
        }
    }
}
