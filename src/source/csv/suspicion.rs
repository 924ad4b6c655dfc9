//! Signs that a CSV text has another delimiter than the one it is read with.

use std::io::BufRead;

use super::options::CsvOptions;
use super::records::{Record, Records};
use crate::source::SourceError;

/// What separates fields in the files of other programs.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Refuses a text whose first record says that its delimiter is another one.
pub(super) fn refuse_other_delimiter(
    options: CsvOptions,
    records: &Records<impl BufRead>,
    first: &Record,
) -> Result<(), SourceError> {
    let place = || records.place(first);
    let mut fields = first.fields();
    // Excel writes such a line, and reads it, before the header.
    if let Some(&[delimiter]) = fields.next().and_then(|field| field.strip_prefix("sep=")).map(str::as_bytes) {
        return Err(SourceError::DelimiterLine { place: place(), delimiter: shown(delimiter) });
    }
    if first.fields().collect::<Vec<_>>() == ["sep=", ""] {
        return Err(SourceError::DelimiterLine { place: place(), delimiter: shown(options.delimiter) });
    }
    if options.header && first.len() == 1 && !first.is_quoted {
        let header = first.fields().next().unwrap_or_default();
        let other = DELIMITERS.iter().find(|&&byte| byte != options.delimiter && header.as_bytes().contains(&byte));
        if let Some(&other) = other {
            return Err(SourceError::OtherDelimiter { place: place(), delimiter: shown(other) });
        }
    }
    Ok(())
}

/// Counts other delimiters in records of one field.
#[derive(Debug, Default)]
pub(super) struct Suspicion {
    records: u64,
    /// How often each of the delimiters is in every record so far; none where records differ.
    times: [Option<usize>; DELIMITERS.len()],
}

impl Suspicion {
    /// Looks at a record of one field.
    pub fn follow(&mut self, record: &Record, own: u8) {
        let field = record.fields().next().unwrap_or_default();
        for (times, delimiter) in self.times.iter_mut().zip(DELIMITERS) {
            let found = field.bytes().filter(|&byte| byte == delimiter).count();
            let is_steady = self.records == 0 || *times == Some(found);
            *times = Some(found).filter(|&found| is_steady && found > 0 && delimiter != own);
        }
        self.records += 1;
    }

    /// Returns the delimiter that every record holds equally often, when there are several records.
    pub fn delimiter(&self) -> Option<String> {
        let found = self.times.iter().zip(DELIMITERS).find(|(times, _)| times.is_some());
        found.filter(|_| self.records > 1).map(|(_, delimiter)| shown(delimiter))
    }
}

/// Writes a delimiter as it is given on a command line.
fn shown(delimiter: u8) -> String {
    if delimiter == b'\t' { "tab".to_owned() } else { format!("'{}'", char::from(delimiter)) }
}
