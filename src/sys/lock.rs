//! The lock that makes a manager the only one: `flock` on one file per job, held for the manager's life.
//!
//! The kernel drops it with the process, however that ends, and no clock or process number takes part in it.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::files::{How, create_private_dir, open_private};

/// The held lock of one job; freed when dropped or when the process ends.
#[derive(Debug)]
pub struct JobLock {
    path: PathBuf,
    // Opened close-on-exec, as std does everywhere: a unit that inherited it would keep a dead manager alive.
    file: File,
}

/// What a look at the lock found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockProbe {
    /// Somebody holds it: a manager lives.
    Held,
    /// Nobody holds it: no manager lives.
    Free,
    /// There is no file: it was never made, or somebody has deleted it.
    Missing,
    /// It cannot be told.
    Unknown,
}

impl JobLock {
    /// Takes the lock, or returns none when somebody else holds it.
    ///
    /// A look by [`LockProbe::of`] in the same instant can make it seem held for a moment.
    pub fn try_acquire(path: &Path) -> io::Result<Option<JobLock>> {
        let file = open_private(path, How::Write)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(JobLock { path: path.to_owned(), file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Waits until nobody else holds the lock, and takes it.
    pub fn acquire(path: &Path) -> io::Result<JobLock> {
        let file = open_private(path, How::Write)?;
        file.lock()?;
        Ok(JobLock { path: path.to_owned(), file })
    }

    /// Makes the file again, with its directory, when it was deleted; returns `true` if it did.
    ///
    /// When another process has made and locked one meanwhile, this holds what it held: whose job it is then, the
    /// epoch decides.
    pub fn keep(&mut self) -> io::Result<bool> {
        let held = self.file.metadata()?;
        match std::fs::metadata(&self.path) {
            Ok(found) if (found.dev(), found.ino()) == (held.dev(), held.ino()) => return Ok(false),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.path.parent().map_or(Ok(()), create_private_dir)?;
            }
            Err(error) => return Err(error),
        }
        let renewed = JobLock::try_acquire(&self.path)?;
        Ok(renewed.map(|lock| *self = lock).is_some())
    }
}

/// A lock that any number of processes share, and that keeps out whoever wants it alone.
#[derive(Debug)]
pub struct SharedLock {
    _file: File,
}

impl SharedLock {
    /// Waits until nobody holds the lock alone, and shares it.
    pub fn acquire(path: &Path) -> io::Result<SharedLock> {
        let file = open_private(path, How::Write)?;
        file.lock_shared()?;
        Ok(SharedLock { _file: file })
    }
}

impl LockProbe {
    /// Looks whether the lock is held.
    pub fn of(path: &Path) -> LockProbe {
        let file = match open_private(path, How::Read) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return LockProbe::Missing,
            Err(_) => return LockProbe::Unknown,
        };
        // Shared, so that two observers do not take each other for a manager.
        match file.try_lock_shared() {
            Ok(()) => LockProbe::Free,
            Err(TryLockError::WouldBlock) => LockProbe::Held,
            Err(TryLockError::Error(_)) => LockProbe::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_lock_is_seen_and_not_given_twice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");

        let held = JobLock::try_acquire(&path).unwrap();

        assert!(held.is_some());
        assert!(matches!(LockProbe::of(&path), LockProbe::Held));
        assert!(JobLock::try_acquire(&path).unwrap().is_none());
    }

    #[test]
    fn a_dropped_lock_is_free_and_one_never_made_is_missing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        assert!(matches!(LockProbe::of(&path), LockProbe::Missing));

        drop(JobLock::try_acquire(&path).unwrap());

        assert!(matches!(LockProbe::of(&path), LockProbe::Free));
    }

    #[test]
    fn fault_113_a_lock_whose_file_and_directory_were_deleted_is_made_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("job/lock");
        create_private_dir(path.parent().unwrap()).unwrap();
        let mut lock = JobLock::try_acquire(&path).unwrap().unwrap();
        assert!(!lock.keep().unwrap());

        std::fs::remove_dir_all(path.parent().unwrap()).unwrap();

        assert!(lock.keep().unwrap());
        assert!(matches!(LockProbe::of(&path), LockProbe::Held));
        std::fs::remove_file(&path).unwrap();
        let others = JobLock::try_acquire(&path).unwrap();
        assert!(!lock.keep().unwrap() && others.is_some());
    }
}
