//! The file that units of one worker slot get as their standard input, locked.
//!
//! The lock belongs to the open file, which every descendant of a unit inherits: it is held for as long as one of
//! them lives, also after the manager was killed, and tells without a list of processes that a slot is not free.

use std::fs::{File, TryLockError};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::inherited::opening;
use crate::files::{How, KeptDir, open_private};

/// Where the locked file of one slot lies.
#[derive(Debug, Clone)]
pub struct SlotFile {
    path: PathBuf,
    /// Its directory, where it is opened for each unit.
    dir: Option<Arc<KeptDir>>,
}

/// Why a slot's file cannot be handed to a unit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SlotError {
    /// A process of an earlier unit still has it.
    #[error("a process of an earlier unit still holds {}", .0.display())]
    Occupied(PathBuf),
    /// It cannot be opened or written.
    #[error("cannot prepare {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl SlotFile {
    /// Names the file of a slot; nothing is opened.
    pub fn at(path: PathBuf) -> Self {
        Self { path, dir: None }
    }

    /// Names the file of a slot in a directory that is kept open.
    pub fn within(dir: &Arc<KeptDir>, slot: usize) -> Self {
        Self { path: dir.path().join(slot.to_string()), dir: Some(Arc::clone(dir)) }
    }

    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens and locks the file, filled with `content`, ready to be a unit's standard input.
    pub fn occupy(&self, content: &[u8]) -> Result<File, SlotError> {
        let open = || -> io::Result<Option<File>> {
            let _opening = opening();
            let mut file = self.open(How::Write)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            if file.metadata()?.len() > 0 {
                file.set_len(0)?;
            }
            if !content.is_empty() {
                file.write_all(content)?;
                file.rewind()?;
            }
            Ok(Some(file))
        };
        match open() {
            Ok(Some(file)) => Ok(file),
            Ok(None) => Err(SlotError::Occupied(self.path.clone())),
            Err(source) => Err(SlotError::Io { path: self.path.clone(), source }),
        }
    }

    /// Opens the file; a directory that is kept is made again when somebody has removed it.
    fn open(&self, how: How) -> io::Result<File> {
        match (&self.dir, self.path.file_name()) {
            (Some(dir), Some(name)) => dir.file(name, how),
            _ => open_private(&self.path, how),
        }
    }

    /// Returns `true` if no process has the file.
    pub fn is_free(&self) -> io::Result<bool> {
        let _opening = opening();
        match self.open(How::Read) {
            Ok(file) => match file.try_lock_shared() {
                Ok(()) => Ok(true),
                Err(TryLockError::WouldBlock) => Ok(false),
                Err(TryLockError::Error(error)) => Err(error),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_not_given_to_a_second_unit_while_somebody_has_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let slot = SlotFile::at(dir.path().join("0"));

        let held = slot.occupy(b"first").unwrap();

        assert!(matches!(slot.occupy(b"second"), Err(SlotError::Occupied(_))));
        assert_eq!(std::fs::read(slot.path()).unwrap(), b"first");
        drop(held);
        assert!(slot.occupy(b"second").is_ok());
    }
}
