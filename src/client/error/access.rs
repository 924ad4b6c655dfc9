//! Why a database may not be used.

use std::path::PathBuf;

use crate::model::{ErrorKind, JobId};

/// A database that may not be used as it was asked for; nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The database lies where other machines can write too, and SQLite's locks cannot be relied on.
    #[error("{} is on {kind}, where SQLite's locks cannot be relied on: use a local disk", path.display())]
    SharedDisk {
        /// The database.
        path: PathBuf,
        /// The kind of file system.
        kind: &'static str,
    },
    /// The database is somebody else's, and its units would run under another name than theirs.
    #[error("{} belongs to {owner}, and its units would run as {user}", path.display())]
    OtherOwner {
        /// The database.
        path: PathBuf,
        /// Whose it is.
        owner: String,
        /// How `sudo` is told to become that user.
        sudo: String,
        /// Who asked.
        user: String,
    },
    /// Anybody can write to the database, or put another one in its place.
    #[error("anybody can write to {}, and so decide what runs as you", path.display())]
    OpenToAll {
        /// The database, or its directory.
        path: PathBuf,
        /// What mends its mode.
        change: &'static str,
    },
    /// A manager of an older version runs a job, and the schema cannot change under it.
    #[error("{} is of an older version, and a manager of an older version runs job {job}: it is not brought up to date under it", path.display())]
    OlderManager {
        /// The database.
        path: PathBuf,
        /// The job.
        job: JobId,
    },
}

impl AccessError {
    /// Returns what kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::OtherOwner { .. } => ErrorKind::Conflict,
            Self::SharedDisk { .. } | Self::OpenToAll { .. } => ErrorKind::Database,
            // It is over when that manager has left.
            Self::OlderManager { .. } => ErrorKind::Busy,
        }
    }
}
