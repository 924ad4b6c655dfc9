//! Why a job cannot be copied into another database, or goes on in its copy only.

use std::path::PathBuf;

use crate::model::{ErrorKind, JobId};

/// What copies of jobs forbid; nothing was copied or changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// The job is in that database.
    #[error("{} is the database that the job is in", path.display())]
    SameDatabase {
        /// The database.
        path: PathBuf,
    },
    /// Units that may run at most once could run, or be retried, in the job and in its copy.
    #[error("the units of job {job} may run at most once: it can be moved, and not copied")]
    WouldRepeat {
        /// The job.
        job: JobId,
    },
    /// The job waits for another one, and would not wait for it in another database.
    #[error("job {job} waits for job {other}, which stays where it is")]
    WaitsForJob {
        /// The job.
        job: JobId,
        /// The one that it waits for.
        other: JobId,
    },
    /// Units that may run at most once have moved to a copy, where they may have run; nothing was changed.
    #[error("the units of job {job} may run at most once, and have moved to job {uid} in another database")]
    Moved {
        /// The job.
        job: JobId,
        /// The uid of the copy.
        uid: String,
    },
}

impl CopyError {
    /// Returns what kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::SameDatabase { .. } => ErrorKind::InvalidInput,
            Self::WouldRepeat { .. } | Self::WaitsForJob { .. } | Self::Moved { .. } => ErrorKind::Conflict,
        }
    }
}
