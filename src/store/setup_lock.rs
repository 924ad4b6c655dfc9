//! The lock file beside a database, under which it is created and migrated.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::StoreError;
use super::connection::BUSY_TIMEOUT;
use super::place::files_error;
use crate::files::{How, create_private_dir, open_private};
use crate::model::StateDir;

/// Takes the lock under which a database is made or migrated.
pub(super) fn lock_setup_of(path: &Path) -> Result<File, StoreError> {
    let state = StateDir::beside(path);
    create_private_dir(state.path()).map_err(|source| files_error("create", state.path(), source))?;
    lock_for_setup(&state.setup_lock())
}

/// Waits for the setup lock as long as a statement would wait for the database.
pub(super) fn lock_for_setup(path: &Path) -> Result<File, StoreError> {
    let file = open_private(path, How::Write).map_err(|source| files_error("create", path, source))?;
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(files_error("lock", path, io::ErrorKind::WouldBlock.into()));
            }
            Err(TryLockError::Error(source)) => return Err(files_error("lock", path, source)),
        }
    }
}
