//! What a source of text is read from.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Cursor};
use std::path::{Path, PathBuf};

use super::SourceError;

const STDIN_NAME: &str = "standard input";
const BUFFER_BYTES: usize = 256 * 1024;

/// Where a text is, and its name in messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Standard input, which can be read once.
    Stdin,
    /// A file.
    File(InputFile),
    /// A text at hand.
    Text {
        /// What it is called.
        name: String,
        /// The text.
        text: String,
    },
}

/// A file to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    /// Where it is.
    pub path: PathBuf,
    /// What it is called: its path as it was given.
    pub name: String,
    /// Refuses whatever else has a path: to read a pipe or a terminal could wait for ever, and would take the messages
    /// of a host where it is this process's standard input.
    pub only_regular: bool,
}

impl InputFile {
    /// Returns any kind of file at a path.
    pub fn at(path: &Path) -> InputFile {
        InputFile { path: path.to_owned(), name: path.display().to_string(), only_regular: false }
    }

    /// Refuses a file of a kind that may not be read.
    pub fn check(&self) -> Result<(), SourceError> {
        let is_refused = self.only_regular && !fs::metadata(&self.path).is_ok_and(|found| found.is_file());
        if is_refused { Err(SourceError::NoFile { path: self.path.clone() }) } else { Ok(()) }
    }

    fn open(&self) -> Result<Box<dyn BufRead + Send>, SourceError> {
        self.check()?;
        let unreadable = |source| SourceError::Unreadable { name: self.name.clone(), source };
        let file = File::open(&self.path).map_err(unreadable)?;
        // A directory opens and cannot be read; said here it is said before anything is created.
        if file.metadata().map_err(unreadable)?.is_dir() {
            return Err(unreadable(io::ErrorKind::IsADirectory.into()));
        }
        Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, file)))
    }
}

impl Input {
    /// Returns its name in messages.
    pub fn name(&self) -> &str {
        match self {
            Self::Stdin => STDIN_NAME,
            Self::File(file) => &file.name,
            Self::Text { name, .. } => name,
        }
    }

    /// Opens it, as it is.
    pub fn open(&self) -> Result<Box<dyn BufRead + Send>, SourceError> {
        match self {
            Self::Stdin => Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, io::stdin()))),
            Self::File(file) => file.open(),
            Self::Text { text, .. } => Ok(Box::new(Cursor::new(text.clone()))),
        }
    }
}
