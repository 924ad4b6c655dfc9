//! How a CSV file is written.

use crate::model::SpellingError;

/// How a CSV file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CsvOptions {
    /// What separates fields.
    pub delimiter: u8,
    /// Whether the first record names the fields; they are called 1, 2, … otherwise.
    pub header: bool,
    /// Whether fields may stand in quotes; these are characters as any other otherwise.
    pub quotes: bool,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self { delimiter: b',', header: true, quotes: true }
    }
}

impl CsvOptions {
    /// Reads a delimiter: one ASCII character without another meaning in CSV, `tab` or `\t`.
    pub fn delimiter(text: &str) -> Result<u8, SpellingError> {
        match text.as_bytes() {
            b"tab" | b"\\t" => Ok(b'\t'),
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | 0) => Ok(*byte),
            _ => Err(SpellingError { given: text.to_owned(), what: "delimiter", like: "; or | or tab" }),
        }
    }
}
