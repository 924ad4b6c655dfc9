//! The lock that makes a manager the only one: `flock` on one file per job, held for the manager's life.
//!
//! The kernel drops it with the process, however that ends, and no clock or process number takes part in it.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::files::{How, PrivateDir, open_private};

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
        loop {
            let file = open_private(path, How::Write)?;
            if !try_lock(&file)? {
                return Ok(None);
            }
            if is_at(&file, path)? {
                return Ok(Some(JobLock { path: path.to_owned(), file }));
            }
        }
    }

    /// Waits until nobody else holds the lock, and takes it.
    pub fn acquire(path: &Path) -> io::Result<JobLock> {
        loop {
            let file = open_private(path, How::Write)?;
            file.lock()?;
            if is_at(&file, path)? {
                return Ok(JobLock { path: path.to_owned(), file });
            }
        }
    }

    /// Makes the file again, with its directory, when it was deleted; returns `true` if it did.
    ///
    /// Nobody sees the new file before it is locked: a free lock would mean that its holder has died. When another
    /// process has made and locked one meanwhile, this holds what it held: whose job it is then, the epoch decides.
    pub fn keep(&mut self) -> io::Result<bool> {
        if is_at(&self.file, &self.path)? {
            return Ok(false);
        }
        match self.path.try_exists()? {
            true => Ok(self.hold(JobLock::try_acquire(&self.path)?)),
            false => self.make_again(),
        }
    }

    fn make_again(&mut self) -> io::Result<bool> {
        let (Some(parent), Some(name)) = (self.path.parent(), self.path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let dir = PrivateDir::create(parent)?;
        let new_name = Path::new(name).with_extension("new");
        let file = dir.file(&new_name, How::Write)?;
        if !try_lock(&file)? || !dir.rename_to_new(&new_name, name)? {
            return Ok(false);
        }
        Ok(self.hold(Some(JobLock { path: self.path.clone(), file })))
    }

    fn hold(&mut self, renewed: Option<JobLock>) -> bool {
        renewed.map(|lock| *self = lock).is_some()
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
        loop {
            let file = open_private(path, How::Write)?;
            file.lock_shared()?;
            if is_at(&file, path)? {
                return Ok(SharedLock { _file: file });
            }
        }
    }
}

impl LockProbe {
    /// Looks whether the lock is held.
    pub fn of(path: &Path) -> LockProbe {
        LockProbe::look(path).unwrap_or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => LockProbe::Missing,
            _ => LockProbe::Unknown,
        })
    }

    fn look(path: &Path) -> io::Result<LockProbe> {
        loop {
            let file = open_private(path, How::Read)?;
            // Shared, so that two observers do not take each other for a manager.
            match file.try_lock_shared() {
                Ok(()) if is_at(&file, path)? => return Ok(LockProbe::Free),
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(LockProbe::Held),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }
}

fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Says whether an open file still stands at its path: the lock of one that was deleted or replaced says nothing.
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let open = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino()) == (open.dev(), open.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use crate::files::create_private_dir;

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
    #[test]
    fn fault_335_a_lock_that_is_made_again_is_never_seen_free() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let mut lock = JobLock::try_acquire(&path).unwrap().unwrap();
        let over = AtomicBool::new(false);

        let (made, seen) = std::thread::scope(|scope| {
            let seen = scope.spawn(|| {
                let mut seen = [0_u32; 2];
                while !over.load(Ordering::Relaxed) {
                    match LockProbe::of(&path) {
                        LockProbe::Held => seen[0] += 1,
                        LockProbe::Free => seen[1] += 1,
                        LockProbe::Missing | LockProbe::Unknown => {}
                    }
                }
                seen
            });
            let made =
                (0..5_000).filter(|_| std::fs::remove_file(&path).is_ok() && lock.keep().unwrap_or(false)).count();
            over.store(true, Ordering::Relaxed);
            (made, seen.join().unwrap())
        });

        assert_eq!(made, 5_000);
        assert!(seen[0] > 0 && seen[1] == 0, "held and free: {seen:?}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
