//! The whole of a standard output that becomes a result, whatever is kept of it for display.
//!
//! A short one stays in memory, a longer one goes to a file of the worker's slot that has no name any more: it is gone
//! with the manager. Nothing beyond the limit is written.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::PathBuf;

use serde_json::value::RawValue;

use crate::files::PrivateDir;
use crate::model::{JsonError, RawText, check_document};
use crate::sys::opening;

/// Most bytes of a result.
const MAX_RESULT_BYTES: usize = 16 << 20;
/// Bytes that stay in memory.
const MEMORY_BYTES: usize = 64 * 1024;

/// A standard output as it grows.
pub(super) struct Whole {
    /// Where its file is made when it is needed.
    path: PathBuf,
    memory: Vec<u8>,
    file: Option<File>,
    bytes: usize,
    failed: Option<io::Error>,
}

/// Why an output is no result.
#[derive(Debug, thiserror::Error)]
pub(super) enum ResultError {
    /// No attempt would make it shorter.
    #[error("the result has {0} bytes, at most {MAX_RESULT_BYTES} (16 MiB) are possible")]
    TooLong(usize),
    #[error("its standard output is not a JSON document: {0}")]
    NotJson(serde_json::Error),
    /// It is a document, and another reader would read something else in it; no attempt would make it another.
    #[error("its standard output is not a sound JSON document: {0}")]
    NotSound(JsonError),
    #[error("cannot keep the result: {0}")]
    NotKept(#[from] io::Error),
}

impl Whole {
    /// Starts with nothing.
    pub fn new(path: PathBuf) -> Whole {
        Whole { path, memory: Vec::new(), file: None, bytes: 0, failed: None }
    }

    /// Takes the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        if self.bytes > MAX_RESULT_BYTES {
            (self.memory, self.file) = (Vec::new(), None);
        } else if self.failed.is_none() {
            self.failed = self.keep(bytes).err();
        }
    }

    /// Returns how many bytes the result has.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Writes the output into a file, byte for byte.
    ///
    /// # Errors
    /// When it is too long to be a result, or was not kept.
    pub fn write_to(&mut self, file: &mut File) -> Result<(), ResultError> {
        if self.bytes > MAX_RESULT_BYTES {
            return Err(ResultError::TooLong(self.bytes));
        }
        if let Some(error) = self.failed.take() {
            return Err(error.into());
        }
        match &mut self.file {
            None => file.write_all(&self.memory)?,
            Some(spooled) => {
                spooled.rewind()?;
                io::copy(spooled, file)?;
            }
        }
        Ok(())
    }

    /// Returns the output as one JSON document, without blanks around it.
    pub fn into_json(self) -> Result<String, ResultError> {
        let mut text = self.into_bytes()?;
        let document = serde_json::from_slice::<&RawValue>(&text).map_err(ResultError::NotJson)?.get();
        check_document(document).map_err(ResultError::NotSound)?;
        let start = text.len() - text.trim_ascii_start().len();
        let length = document.len();
        text.truncate(start + length);
        text.drain(..start);
        Ok(String::from_utf8(text).expect("a JSON document is UTF-8"))
    }

    /// Returns the output as a text in JSON, without the line break at its end.
    pub fn into_text(self) -> Result<String, ResultError> {
        let text = self.into_bytes()?;
        Ok(RawText::json_of(text.strip_suffix(b"\n").unwrap_or(&text)))
    }

    fn into_bytes(self) -> Result<Vec<u8>, ResultError> {
        if self.bytes > MAX_RESULT_BYTES {
            return Err(ResultError::TooLong(self.bytes));
        }
        if let Some(error) = self.failed {
            return Err(error.into());
        }
        let mut text = self.memory;
        if let Some(mut file) = self.file {
            text.reserve_exact(self.bytes);
            file.rewind()?;
            file.read_to_end(&mut text)?;
        }
        Ok(text)
    }

    fn keep(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.file.is_none() && self.memory.len() + bytes.len() <= MEMORY_BYTES {
            self.memory.extend_from_slice(bytes);
            return Ok(());
        }
        if self.file.is_none() {
            let _opening = opening();
            let (Some(dir), Some(name)) = (self.path.parent(), self.path.file_name().and_then(|name| name.to_str()))
            else {
                return Err(io::ErrorKind::InvalidInput.into());
            };
            let mut file = PrivateDir::create(dir)?.nameless_file(name)?;
            file.write_all(&self.memory)?;
            self.memory = Vec::new();
            self.file = Some(file);
        }
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(bytes))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn whole(dir: &tempfile::TempDir, chunks: impl Iterator<Item = Vec<u8>>) -> Whole {
        let mut whole = Whole::new(dir.path().join("whole"));
        chunks.for_each(|chunk| whole.push(&chunk));
        whole
    }

    #[test]
    fn a_result_of_any_allowed_length_is_the_document_and_leaves_no_file() {
        let dir = tempfile::tempdir().unwrap();
        for length in [0, 10, MEMORY_BYTES, MEMORY_BYTES + 1, MAX_RESULT_BYTES - 5] {
            let document = format!("\"{}\"", "x".repeat(length));
            let output = format!("\n {document}\n");
            let chunks = output.as_bytes().chunks(16 * 1024).map(<[u8]>::to_vec);

            let whole = whole(&dir, chunks);

            assert!(whole.memory.len() <= MEMORY_BYTES);
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
            assert!(whole.into_json().unwrap() == document, "{length}");
        }
    }

    #[test]
    fn a_text_is_the_whole_output_byte_for_byte_but_for_the_line_break_at_its_end() {
        let dir = tempfile::tempdir().unwrap();
        let long = vec![b'x'; MEMORY_BYTES + 1];
        for (output, text) in [(&b""[..], &b""[..]), (b"a\n\n", b"a\n"), (b"caf\xe9\n", b"caf\xe9"), (&long, &long)] {
            let whole = whole(&dir, output.chunks(4096).map(<[u8]>::to_vec));
            assert!(whole.into_text().unwrap() == RawText::json_of(text));
        }
    }

    #[test]
    fn a_longer_one_is_told_with_its_length_and_not_kept() {
        let dir = tempfile::tempdir().unwrap();

        let whole = whole(&dir, (0..=MAX_RESULT_BYTES / 4096).map(|_| vec![b'1'; 4096]));

        assert!(whole.file.is_none());
        let bytes = MAX_RESULT_BYTES + 4096;
        assert!(matches!(whole.into_json(), Err(ResultError::TooLong(told)) if told == bytes));
    }

    #[test]
    fn what_is_no_document_is_no_result() {
        let dir = tempfile::tempdir().unwrap();
        for output in ["", "{", "1 2", "\u{0}"] {
            let whole = whole(&dir, std::iter::once(output.as_bytes().to_vec()));
            assert!(matches!(whole.into_json(), Err(ResultError::NotJson(_))), "{output:?}");
        }
        for output in [r#""\ud800""#, "1e999", r#"{"a":1,"a":2}"#] {
            let whole = whole(&dir, std::iter::once(output.as_bytes().to_vec()));
            assert!(matches!(whole.into_json(), Err(ResultError::NotSound(_))), "{output:?}");
        }
        assert!(whole(&dir, std::iter::once(b"\"\xff\"".to_vec())).into_json().is_err());
    }
}
