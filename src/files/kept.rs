//! A directory of ours that stays open because files in it are opened for each unit.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::dir::{How, PrivateDir};

/// A directory that is opened when it is first needed, and made again when somebody has removed it.
#[derive(Debug)]
pub struct KeptDir {
    path: PathBuf,
    open: Mutex<Option<Arc<PrivateDir>>>,
}

impl KeptDir {
    /// Names the directory; nothing is opened.
    pub fn at(path: PathBuf) -> KeptDir {
        KeptDir { path, open: Mutex::default() }
    }

    /// Returns the path of the directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a file in it.
    ///
    /// # Errors
    /// When it cannot be opened, or is planted; one that is to be read may be missing.
    pub fn file(&self, name: impl AsRef<Path>, how: How) -> io::Result<File> {
        let name = name.as_ref();
        let kept = self.open.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match kept.map(|dir| dir.file(name, how)) {
            Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => {}
            Some(opened) => return opened,
            None => {}
        }
        let dir = Arc::new(PrivateDir::create(&self.path)?);
        let file = dir.file(name, how);
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = Some(dir);
        file
    }
}
