//! The kinds of errors: what whoever asked can decide by, without knowing every error.

use serde::{Deserialize, Serialize};

/// What kind of error something is.
///
/// An exit code, a status of HTTP and the first thing to try follow from it; the error itself has the details.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// What was given cannot be used: correct it. Nothing was created or changed.
    InvalidInput,
    /// There is no such job, unit, attempt or database, or nothing fits.
    NotFound,
    /// It cannot be done in the state in which the job, the unit or its owner is.
    Conflict,
    /// The command is not found.
    CommandNotFound,
    /// The command cannot be executed.
    CommandNotExecutable,
    /// Another process holds the database: trying again may succeed.
    Busy,
    /// The disk is full, or the database cannot be reached at the moment.
    Unavailable,
    /// The database, or a file beside it, cannot be used as it is.
    Database,
    /// What was waited for did not happen in time.
    TimedOut,
    /// Whoever waited was interrupted; what was begun goes on.
    Interrupted,
    /// Something that should not happen: a process that cannot be started, a rule that was broken.
    #[default]
    Internal,
}
