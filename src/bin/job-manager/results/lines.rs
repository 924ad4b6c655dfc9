//! Lines of results in one of the formats, made one by one and handed on together.

use std::io::{self, Write};
use std::str;
use std::sync::Arc;

use serde_json::to_writer;
use serde_json::value::RawValue;

use super::ResultsError;
use super::columns::plain_text;
use super::table::Table;
use job_manager::client::Client;
use job_manager::model::{JobId, RawText, Seq, UnitFilter, UnitResult, Unreadable};
use job_manager::text::omitted_bytes;

/// How a line of results is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Jsonl,
    Csv,
    Tsv,
}

/// Bytes of lines that are made before they are handed on.
pub const BUFFER_BYTES: usize = 1 << 18;

/// Most units that cannot be read which are named.
const MOST_NAMED: usize = 1000;

/// What lines do not say: what copies for display omit of the output of units, and units that cannot be read.
#[derive(Debug, Clone, Default)]
pub struct Omitted {
    pub outputs: u64,
    pub bytes: u64,
    /// Values that came after the columns were known and have none.
    pub values: u64,
    pub unreadable: Vec<Unreadable>,
}

impl Omitted {
    /// Adds what further lines do not say.
    pub fn add(&mut self, other: Omitted) {
        self.outputs += other.outputs;
        self.bytes += other.bytes;
        self.values += other.values;
        self.unreadable.extend(other.unreadable);
        self.unreadable.truncate(MOST_NAMED);
    }
}

/// Lines that were made and are not handed on yet.
pub struct Lines {
    text: Text,
    omitted: Omitted,
    with_outdated: bool,
}

enum Text {
    Jsonl(Vec<u8>),
    Table { text: Box<csv::Writer<Vec<u8>>>, delimiter: u8, table: Arc<Table> },
}

impl Lines {
    pub fn new(format: Format, table: &Arc<Table>) -> Lines {
        let rows = |delimiter| Text::Table { text: Box::new(writer(delimiter)), delimiter, table: Arc::clone(table) };
        let text = match format {
            Format::Jsonl => Text::Jsonl(Vec::new()),
            Format::Csv => rows(b','),
            Format::Tsv => rows(b'\t'),
        };
        Lines { text, omitted: Omitted::default(), with_outdated: table.with_outdated }
    }

    /// Adds the line with the names of the columns, where the format has one.
    pub fn add_header(&mut self) -> io::Result<()> {
        match &mut self.text {
            Text::Jsonl(_) => Ok(()),
            Text::Table { text, table, .. } => table.write_header(text),
        }
    }

    /// Adds lines of units after `after` until there are enough to be handed on or some thousands were read; returns the
    /// number after which the next call goes on, and none at the end.
    pub fn read(
        &mut self,
        client: &Client,
        job: JobId,
        filter: &UnitFilter,
        after: Option<Seq>,
    ) -> Result<Option<Seq>, ResultsError> {
        let mut made = Ok(());
        let next = client.each_result(job, filter, after, &mut |unit| {
            match unit {
                Ok(unit) => made = self.add(&unit),
                Err(unreadable) => self.omitted.unreadable.push(unreadable),
            }
            made.is_ok() && !self.are_full()
        })?;
        made?;
        Ok(next)
    }

    fn add(&mut self, unit: &UnitResult) -> io::Result<()> {
        let omitted = omitted(unit);
        if let Some(bytes) = omitted {
            self.omitted.outputs += 1;
            self.omitted.bytes += bytes;
        }
        match &mut self.text {
            Text::Jsonl(text) => write_json(text, unit, omitted, self.with_outdated),
            Text::Table { text, table, .. } => {
                self.omitted.values += table.write(text, unit)?;
                Ok(())
            }
        }
    }

    fn are_full(&self) -> bool {
        let text = match &self.text {
            Text::Jsonl(text) => text,
            // All but what its own small buffer holds.
            Text::Table { text, .. } => text.get_ref(),
        };
        text.len() >= BUFFER_BYTES
    }

    /// Returns the lines that were made since the last call.
    pub fn take(&mut self) -> io::Result<Vec<u8>> {
        match &mut self.text {
            Text::Jsonl(text) => Ok(std::mem::take(text)),
            Text::Table { text, delimiter, .. } => {
                let full = std::mem::replace(&mut **text, writer(*delimiter));
                full.into_inner().map_err(csv::IntoInnerError::into_error)
            }
        }
    }

    /// Returns what those lines do not say.
    pub fn take_omitted(&mut self) -> Omitted {
        std::mem::take(&mut self.omitted)
    }
}

fn writer(delimiter: u8) -> csv::Writer<Vec<u8>> {
    csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new())
}

/// Writes one object, field by field: what is JSON already is not read to be written again.
fn write_json(out: &mut Vec<u8>, unit: &UnitResult, omitted: Option<u64>, with_outdated: bool) -> io::Result<()> {
    write!(out, "{{\"seq\":{},\"key\":", unit.seq)?;
    to_writer(&mut *out, &unit.key)?;
    out.extend_from_slice(b",\"status\":");
    to_writer(&mut *out, &unit.status)?;
    out.extend_from_slice(b",\"payload\":");
    write_document(out, &unit.payload)?;
    out.extend_from_slice(b",\"result\":");
    match (&unit.result, unit.text_bytes()) {
        (Some(json), _) => write_document(out, json)?,
        (None, Some(bytes)) => match str::from_utf8(bytes) {
            Ok(text) => to_writer(&mut *out, text)?,
            Err(_) => out.extend_from_slice(RawText::json_of(bytes).as_bytes()),
        },
        (None, None) => out.extend_from_slice(b"null"),
    }
    if let Some(bytes) = omitted {
        write!(out, ",\"omitted_bytes\":{bytes}")?;
    }
    out.extend_from_slice(b",\"error\":");
    to_writer(&mut *out, &unit.error)?;
    out.extend_from_slice(b",\"exit_code\":");
    to_writer(&mut *out, &unit.exit_code)?;
    out.extend_from_slice(b",\"seconds\":");
    to_writer(&mut *out, &unit.seconds())?;
    if with_outdated {
        out.extend_from_slice(b",\"outdated\":");
        to_writer(&mut *out, &unit.outdated)?;
        out.extend_from_slice(b",\"flag\":");
        to_writer(&mut *out, &unit.flag)?;
    }
    out.extend_from_slice(b"}\n");
    Ok(())
}

/// Writes a document as it is; what a damaged row has in its place is written as a text.
fn write_document(out: &mut Vec<u8>, json: &str) -> io::Result<()> {
    if plain_text(json).is_some() || is_whole_number(json) {
        out.extend_from_slice(json.as_bytes());
        return Ok(());
    }
    match serde_json::from_str::<&RawValue>(json) {
        Ok(document) => out.extend_from_slice(document.get().as_bytes()),
        Err(_) => to_writer(out, json)?,
    }
    Ok(())
}

fn is_whole_number(json: &str) -> bool {
    matches!(json.as_bytes(), [b'1'..=b'9', digits @ ..] if digits.iter().all(u8::is_ascii_digit))
}

/// Returns how many bytes of its output the result of a unit omits, if it is a copy that does.
fn omitted(unit: &UnitResult) -> Option<u64> {
    unit.text_bytes().filter(|_| unit.result.is_none())?;
    unit.stdout.as_ref().map(omitted_bytes).filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(json: &str) -> String {
        let mut out = Vec::new();
        write_document(&mut out, json).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn documents_are_written_as_they_are_and_what_is_none_as_a_text() {
        for json in ["\"a/ü.jpg\"", "\"\"", "\"a\\n\"", "12", "-1.5e3", "0", "{\"a\": [1, 2]}", "null"] {
            assert_eq!(written(json), json);
        }
        for damaged in ["\"", "\"a\"b\"", "\"a\nb\"", "012", "x", "", "1 2", "\"\\\""] {
            assert_eq!(written(damaged), serde_json::to_string(damaged).unwrap());
        }
    }
}
