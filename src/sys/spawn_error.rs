//! Why a process of a unit is not there.

use std::io;

use nix::errno::Errno;

/// Why there is no process.
#[derive(Debug)]
pub enum SpawnError {
    /// It did not start.
    NotStarted(io::Error),
    /// It started, cannot be watched, and was ended: what it did until then is done.
    NotWatched(io::Error),
}

impl From<SpawnError> for io::Error {
    fn from(error: SpawnError) -> Self {
        match error {
            SpawnError::NotStarted(error) | SpawnError::NotWatched(error) => error,
        }
    }
}

impl From<io::Error> for SpawnError {
    fn from(error: io::Error) -> Self {
        Self::NotStarted(error)
    }
}

/// Returns `true` if a program could not be started because somebody just writes it.
pub fn is_busy_program(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::ETXTBSY as i32)
}

/// Returns `true` if a file is in no format that this machine runs, as a script without an interpreter is not.
pub fn is_no_program(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::ENOEXEC as i32)
}
