//! Why an attempt cannot say when the next one may start.

use std::io;
use std::path::PathBuf;

use crate::model::{ErrorKind, JobId, TooLateError};

/// A word that was not taken: the attempt ends as it would have without it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LaterError {
    /// The time is too far ahead.
    #[error(transparent)]
    TooLate(#[from] TooLateError),
    /// Units of the job may run at most once.
    #[error("the units of job {job} may run at most once, none of them can be tried again later")]
    AtMostOnce {
        /// The job.
        job: JobId,
    },
    /// Units of the job have no groups.
    #[error("job {job} has no groups: hold the unit, or the job")]
    NoGroups {
        /// The job.
        job: JobId,
    },
    /// It is not known which attempt says so.
    #[error("it cannot be told which attempt this is: JOB_MANAGER_COOKIE is not set, hand it on with the others")]
    Unnamed,
    /// The word cannot be written.
    #[error("cannot keep it in {}", path.display())]
    NotKept {
        /// Where.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

impl LaterError {
    /// Returns what kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::TooLate(_) | Self::Unnamed | Self::NoGroups { .. } => ErrorKind::InvalidInput,
            Self::AtMostOnce { .. } => ErrorKind::Conflict,
            Self::NotKept { .. } => ErrorKind::Database,
        }
    }
}
