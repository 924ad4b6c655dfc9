//! Records of a CSV file, as objects of text.
//!
//! Read strictly: a file that another program would read as other records is refused where that begins. Known weakness: a
//! file with one column whose other delimiter is not in its header is only remarked on.

mod options;
mod records;
mod suspicion;
#[cfg(test)]
mod tests;

use std::io::BufRead;

pub use options::CsvOptions;
use records::{Record, Records};
use suspicion::{Suspicion, refuse_other_delimiter};

use super::item::{push_json_text, until_error};
use super::{Item, Items, Notes, SourceError};
use crate::model::{Remark, column_names, counted};

/// Returns each record as an object of its fields, in the order of the columns; empty lines are skipped and noted.
///
/// Columns that share a name, or have none, are called after their place; see [`column_names`].
pub fn csv(reader: impl BufRead + Send + 'static, name: &str, options: CsvOptions, notes: &Notes) -> Items {
    let file = name.to_owned();
    let skipped = notes.count(move |number| format!("{file}: {} skipped", counted(number, "empty line")));
    let mut table = Table {
        records: Records::new(reader, name, options),
        options,
        columns: Vec::new(),
        suspicion: Suspicion::default(),
        notes: notes.clone(),
        name: name.to_owned(),
    };
    let mut record = Record::default();
    until_error(std::iter::from_fn(move || {
        let item = table.read(&mut record).transpose();
        skipped.add(std::mem::take(&mut table.records.empty));
        item
    }))
}

/// A CSV text and what its first record says of the others.
struct Table<R> {
    records: Records<R>,
    options: CsvOptions,
    /// Names of the columns as JSON text, each with the colon after it; none before the first record.
    columns: Vec<Vec<u8>>,
    suspicion: Suspicion,
    notes: Notes,
    name: String,
}

impl<R: BufRead> Table<R> {
    fn read(&mut self, record: &mut Record) -> Result<Option<Item>, SourceError> {
        let mut is_there = self.records.read(record)?;
        if is_there && self.columns.is_empty() {
            refuse_other_delimiter(self.options, &self.records, record)?;
            self.columns = self.columns_of(record)?;
            if self.options.header {
                is_there = self.records.read(record)?;
            }
        }
        if !is_there {
            if let Some(delimiter) = self.suspicion.delimiter() {
                self.notes.say(Remark::OtherDelimiter { name: self.name.clone(), delimiter });
            }
            return Ok(None);
        }
        let place = self.records.place(record);
        let (found, expected) = (record.len(), self.columns.len());
        if found != expected {
            return Err(SourceError::FieldCount { place, found, expected });
        }
        if expected == 1 {
            self.suspicion.follow(record, self.options.delimiter);
        }
        Ok(Some(Item { payload: self.object(record), place }))
    }

    /// Returns the names of the columns that the first record has.
    fn columns_of(&self, record: &Record) -> Result<Vec<Vec<u8>>, SourceError> {
        let names = if self.options.header {
            let given: Vec<&str> = record.fields().collect();
            let names = column_names(&given)
                .map_err(|field| SourceError::Header { place: self.records.place(record), field: field.to_owned() })?;
            for (given, name) in given.iter().zip(&names).filter(|(given, name)| given != name) {
                let what = if given.is_empty() { "a column without a name" } else { "a name for several columns" };
                self.notes.say(format!("{}: {what} in the header, called {name:?} here", self.records.place(record)));
            }
            names
        } else {
            (1..=record.len()).map(|number| number.to_string()).collect()
        };
        let key = |name: String| {
            let mut key = Vec::new();
            push_json_text(&mut key, &name);
            key.push(b':');
            key
        };
        Ok(names.into_iter().map(key).collect())
    }

    fn object(&self, record: &Record) -> String {
        let mut json = vec![b'{'];
        for (index, (column, value)) in self.columns.iter().zip(record.fields()).enumerate() {
            if index > 0 {
                json.push(b',');
            }
            json.extend_from_slice(column);
            push_json_text(&mut json, value);
        }
        json.push(b'}');
        String::from_utf8(json).expect("JSON is UTF-8")
    }
}
