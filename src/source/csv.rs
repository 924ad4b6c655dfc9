//! Records of a CSV file, as objects of text.

use std::collections::HashSet;
use std::io::{self, BufRead, Read};
use std::sync::Arc;

use csv::{ErrorKind, ReaderBuilder, StringRecord};

use super::item::{json_text, until_error};
use super::{Item, Items, MAX_ITEM_BYTES, Place, SourceError};

/// How a CSV file is written.
#[derive(Debug, Clone, Copy)]
pub struct CsvOptions {
    /// What separates fields.
    pub delimiter: u8,
    /// Whether the first record names the fields; they are called 1, 2, … otherwise.
    pub header: bool,
}

/// Returns each record as an object of its fields, in the order of the columns.
///
/// # Errors
/// Here when the header cannot be read or is ambiguous; in the stream when a record is malformed.
pub fn csv(reader: impl BufRead + Send + 'static, name: &str, options: CsvOptions) -> Result<Items, SourceError> {
    let name: Arc<str> = name.into();
    let mut records = ReaderBuilder::new()
        .delimiter(options.delimiter)
        .has_headers(false)
        .from_reader(Limited { inner: without_mark(reader), unbroken: 0 });
    let mut fields = if options.header { header(&mut records, &name)? } else { Vec::new() };
    let mut record = StringRecord::new();
    Ok(until_error(std::iter::from_fn(move || match records.read_record(&mut record) {
        Ok(false) => None,
        Ok(true) => {
            if fields.is_empty() {
                fields = (1..=record.len()).map(|number| json_text(&number.to_string())).collect();
            }
            let line = record.position().map_or(0, csv::Position::line);
            Some(Ok(Item { payload: object(&fields, &record), place: Place::Line(Arc::clone(&name), line) }))
        }
        Err(error) => Some(Err(describe(error, &name))),
    })))
}

/// Reads the names of the fields, each already as JSON text.
fn header(records: &mut csv::Reader<impl Read>, name: &Arc<str>) -> Result<Vec<String>, SourceError> {
    let mut record = StringRecord::new();
    records.read_record(&mut record).map_err(|error| describe(error, name))?;
    let mut seen = HashSet::new();
    for field in &record {
        if field.is_empty() || !seen.insert(field) {
            return Err(SourceError::Header { place: Place::Line(Arc::clone(name), 1), field: field.to_owned() });
        }
    }
    Ok(record.iter().map(json_text).collect())
}

fn object(fields: &[String], record: &StringRecord) -> String {
    let mut text = String::from("{");
    for (index, (field, value)) in fields.iter().zip(record).enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(field);
        text.push(':');
        text.push_str(&json_text(value));
    }
    text.push('}');
    text
}

fn describe(error: csv::Error, name: &Arc<str>) -> SourceError {
    let place = |position: &Option<csv::Position>| {
        Place::Line(Arc::clone(name), position.as_ref().map_or(0, csv::Position::line))
    };
    match error.kind() {
        ErrorKind::UnequalLengths { pos, expected_len, len } => {
            SourceError::FieldCount { place: place(pos), found: *len, expected: *expected_len }
        }
        ErrorKind::Utf8 { pos, .. } => SourceError::NotUtf8 { place: place(pos) },
        ErrorKind::Io(_) => match error.into_kind() {
            ErrorKind::Io(source) => SourceError::Unreadable { name: name.to_string(), source },
            _ => unreachable!("the kind was looked at"),
        },
        _ => {
            let position = error.position().cloned();
            SourceError::NotCsv { place: place(&position), source: error }
        }
    }
}

/// Leaves out the byte order mark that some programs write first.
fn without_mark(mut reader: impl BufRead) -> impl Read {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    if reader.fill_buf().is_ok_and(|start| start.starts_with(MARK)) {
        reader.consume(MARK.len());
    }
    reader
}

/// Refuses a text that goes on for longer than an item may without a line break: an unclosed quote.
struct Limited<R> {
    inner: R,
    unbroken: usize,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        match buffer[..read].iter().rposition(|&byte| byte == b'\n') {
            Some(last) => self.unbroken = read - last,
            None => self.unbroken += read,
        }
        if self.unbroken > MAX_ITEM_BYTES {
            let message = format!("more than {MAX_ITEM_BYTES} bytes without a line break, is a quote unclosed?");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    const COMMAS: CsvOptions = CsvOptions { delimiter: b',', header: true };

    fn payloads(text: &str, options: CsvOptions) -> Vec<String> {
        let items = csv(Cursor::new(text.to_owned()), "x", options).unwrap();
        items.map(|item| item.unwrap().payload).collect()
    }

    #[test]
    fn the_header_names_the_fields_in_order() {
        let found = payloads("\u{feff}b,a\r\n1,\"x, \"\"y\"\"\nz\"\r\n", COMMAS);

        assert_eq!(found, [r#"{"b":"1","a":"x, \"y\"\nz"}"#]);
    }

    #[test]
    fn without_a_header_fields_have_numbers() {
        let found = payloads("x;y\nz;w\n", CsvOptions { delimiter: b';', header: false });

        assert_eq!(found, [r#"{"1":"x","2":"y"}"#, r#"{"1":"z","2":"w"}"#]);
    }

    #[test]
    fn a_record_of_another_length_is_named_by_its_line() {
        let text = "a,b\n\"two\nlines\",2\nalone\n";

        let error = csv(Cursor::new(text), "f", COMMAS).unwrap().nth(1).unwrap().unwrap_err();

        assert_eq!(error.to_string(), "f:4: 1 fields instead of 2");
    }

    #[test]
    fn an_ambiguous_header_is_refused() {
        let twice = csv(Cursor::new("a,a\n1,2\n"), "f", COMMAS).err().unwrap();
        let empty = csv(Cursor::new("a,\n1,2\n"), "f", COMMAS).err().unwrap();

        assert_eq!(twice.to_string(), "f:1: the header has the name \"a\" twice");
        assert_eq!(empty.to_string(), "f:1: the header has an empty name");
    }

    #[test]
    fn fault_92_an_unclosed_quote_does_not_fill_the_memory() {
        let endless = Cursor::new(b"a\n\"".to_vec()).chain(io::repeat(b'x'));

        let error = csv(io::BufReader::new(endless), "f", COMMAS).unwrap().next().unwrap().unwrap_err();

        assert!(matches!(error, SourceError::Unreadable { .. }), "{error}");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, header: bool) {
            if let Ok(items) = csv(Cursor::new(bytes), "x", CsvOptions { delimiter: b',', header }) {
                items.for_each(drop);
            }
        }
    }
}
