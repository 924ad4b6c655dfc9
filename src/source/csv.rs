//! Records of a CSV file, as objects of text.

use std::collections::HashSet;
use std::io::{BufRead, Read};
use std::sync::Arc;

use csv::{ErrorKind, ReaderBuilder, StringRecord};

use super::bounded::{Bounded, skip_mark};
use super::item::{json_text, until_error};
use super::{Item, Items, MAX_ITEM_BYTES, Place, SourceError};

/// How a CSV file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
pub fn csv(mut reader: impl BufRead + Send + 'static, name: &str, options: CsvOptions) -> Result<Items, SourceError> {
    let name: Arc<str> = name.into();
    skip_mark(&mut reader);
    let mut records =
        ReaderBuilder::new().delimiter(options.delimiter).has_headers(false).from_reader(Bounded::new(reader));
    let mut fields = if options.header { header(&mut records, &name)? } else { Vec::new() };
    let mut record = StringRecord::new();
    Ok(until_error(std::iter::from_fn(move || match read_record(&mut records, &mut record, &name) {
        Ok(false) => None,
        Ok(true) => {
            if fields.is_empty() {
                fields = (1..=record.len()).map(|number| json_text(&number.to_string())).collect();
            }
            let line = record.position().map_or(0, csv::Position::line);
            Some(Ok(Item { payload: object(&fields, &record), place: Place::Line(Arc::clone(&name), line) }))
        }
        Err(error) => Some(Err(error)),
    })))
}

/// Reads one record, and no further than it may be long: a quote that is never closed has no end.
fn read_record(
    records: &mut csv::Reader<Bounded<impl Read>>,
    record: &mut StringRecord,
    name: &Arc<str>,
) -> Result<bool, SourceError> {
    let line = records.position().line();
    records.get_mut().renew(MAX_ITEM_BYTES);
    records.read_record(record).map_err(|error| {
        if records.get_ref().is_exhausted() {
            let place = Place::Line(Arc::clone(name), line);
            return SourceError::TooLong { place, limit: MAX_ITEM_BYTES };
        }
        describe(error, name)
    })
}

/// Reads the names of the fields, each already as JSON text.
fn header(records: &mut csv::Reader<Bounded<impl Read>>, name: &Arc<str>) -> Result<Vec<String>, SourceError> {
    let mut record = StringRecord::new();
    read_record(records, &mut record, name)?;
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
        for line in ["x", "x\n"] {
            let endless = Cursor::new(b"a\nb\n\"".to_vec()).chain(Cursor::new(line.repeat(MAX_ITEM_BYTES + 100_000)));

            let error = csv(std::io::BufReader::new(endless), "f", COMMAS).unwrap().nth(1).unwrap().unwrap_err();

            assert!(error.to_string().starts_with("f:3: an item may have 16777216 bytes"), "{error}");
        }
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
