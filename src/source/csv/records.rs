//! Records of a CSV text, strictly: what has no one meaning is refused where it begins.

use std::io::BufRead;
use std::ops::Range;

use super::options::CsvOptions;
use crate::source::bounded::{Found, read_bounded};
use crate::source::text::{Holds, Text};
use crate::source::{MAX_ITEM_BYTES, Place, SourceError};

/// The fields of one record.
#[derive(Debug, Default)]
pub(super) struct Record {
    text: Vec<u8>,
    fields: Vec<Range<usize>>,
    /// Line on which it begins.
    pub line: u64,
    /// Whether a field of it is quoted.
    pub is_quoted: bool,
}

impl Record {
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| std::str::from_utf8(&self.text[field.clone()]).expect("only UTF-8 comes in"))
    }

    fn clear(&mut self) {
        self.text.clear();
        self.fields.clear();
        self.is_quoted = false;
    }

    fn end_field(&mut self) {
        let start = self.fields.last().map_or(0, |field| field.end);
        self.fields.push(start..self.text.len());
    }
}

/// A CSV text, record by record.
pub(super) struct Records<R> {
    text: Text<R>,
    options: CsvOptions,
    /// One line of the text without its line break; a carriage return before that is kept.
    line: Vec<u8>,
    number: u64,
    /// Lines that were empty.
    pub empty: u64,
}

impl<R: BufRead> Records<R> {
    pub fn new(reader: R, name: &str, options: CsvOptions) -> Records<R> {
        Records { text: Text::new(reader, name, Holds::Utf8), options, line: Vec::new(), number: 0, empty: 0 }
    }

    /// Returns the place of a record.
    pub fn place(&self, record: &Record) -> Place {
        self.text.line(record.line)
    }

    /// Reads the next record, and no further than it may be long; `false` at the end.
    pub fn read(&mut self, record: &mut Record) -> Result<bool, SourceError> {
        record.clear();
        loop {
            let Some(_) = self.read_line(0)? else { return Ok(false) };
            if !matches!(self.line.as_slice(), [] | [b'\r']) {
                break;
            }
            self.empty += 1;
        }
        record.line = self.number;
        if !self.options.quotes || !self.line.contains(&b'"') {
            return self.split_line(record).map(|()| true);
        }
        let mut at = 0;
        loop {
            at = if self.line.get(at) == Some(&b'"') {
                self.read_quoted(at + 1, record)?
            } else {
                self.read_plain(at, record)?
            };
            record.end_field();
            match &self.line[at..] {
                [] | [b'\r'] => return Ok(true),
                // A delimiter: nothing else ends a field in the middle of a line.
                _ => at += 1,
            }
        }
    }

    /// Splits a line without quotes.
    fn split_line(&self, record: &mut Record) -> Result<(), SourceError> {
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        if line.contains(&b'\r') {
            return Err(SourceError::CarriageReturn { place: self.text.line(self.number) });
        }
        for field in line.split(|&byte| byte == self.options.delimiter) {
            record.text.extend_from_slice(field);
            record.end_field();
        }
        Ok(())
    }

    /// Reads a field without quotes and returns where it ends.
    fn read_plain(&self, at: usize, record: &mut Record) -> Result<usize, SourceError> {
        let rest = &self.line[at..];
        let special = |byte: &u8| *byte == self.options.delimiter || matches!(byte, b'"' | b'\r');
        let length = rest.iter().position(special).unwrap_or(rest.len());
        record.text.extend_from_slice(&rest[..length]);
        let place = || self.text.line(self.number);
        match &rest[length..] {
            [b'"', ..] => Err(SourceError::QuoteInside { place: place(), byte: at + length + 1 }),
            [b'\r', _, ..] => Err(SourceError::CarriageReturn { place: place() }),
            _ => Ok(at + length),
        }
    }

    /// Reads a field after its opening quote, over as many lines as it has, and returns where it ends.
    fn read_quoted(&mut self, mut at: usize, record: &mut Record) -> Result<usize, SourceError> {
        record.is_quoted = true;
        let opened = self.number;
        let unclosed = |text: &Text<R>| SourceError::Unclosed { place: text.line(opened) };
        loop {
            let rest = &self.line[at..];
            let Some(length) = rest.iter().position(|&byte| byte == b'"') else {
                record.text.extend_from_slice(rest);
                record.text.push(b'\n');
                at = 0;
                match self.read_line(record.text.len()) {
                    Ok(Some(())) => continue,
                    Ok(None) | Err(SourceError::TooLong { .. }) => return Err(unclosed(&self.text)),
                    Err(error) => return Err(error),
                }
            };
            record.text.extend_from_slice(&rest[..length]);
            at += length + 1;
            match &self.line[at..] {
                [b'"', ..] => {
                    record.text.push(b'"');
                    at += 1;
                }
                [] | [b'\r'] => return Ok(at),
                [next, ..] if *next == self.options.delimiter => return Ok(at),
                _ => return Err(SourceError::AfterQuote { place: self.text.line(self.number), byte: at + 1, opened }),
            }
        }
    }

    /// Reads a line of a record of which so many bytes were kept; none at the end.
    fn read_line(&mut self, kept: usize) -> Result<Option<()>, SourceError> {
        self.line.clear();
        self.number += 1;
        let limit = MAX_ITEM_BYTES.saturating_sub(kept);
        match read_bounded(&mut self.text, b'\n', limit, &mut self.line) {
            Ok(Found::Piece { .. }) => Ok(Some(())),
            Ok(Found::End) => Ok(None),
            Ok(Found::TooLong) => {
                Err(SourceError::TooLong { place: self.text.line(self.number), limit: MAX_ITEM_BYTES })
            }
            Err(error) => Err(self.text.failure(error)),
        }
    }
}
