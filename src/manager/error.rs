//! What ends a manager before its job has ended.

use std::io;
use std::time::Duration;

use crate::handler::HandlerError;
use crate::model::{ErrorKind, JobId, JobStatus, counted};
use crate::recovery::RecoveryError;
use crate::store::{Fault, GO_ON, StoreError};
use crate::sys::{StopFlags, lack_of};

/// A manager that cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManagerError {
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No handler can run the job's units.
    #[error(transparent)]
    Handler(#[from] HandlerError),
    /// The operating system refused.
    #[error("cannot {operation}")]
    System {
        /// What was tried.
        operation: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// What the manager before this one left cannot be dealt with: processes of units may live, and what was asked of them
    /// waits for the next manager.
    #[error("cannot {operation}")]
    Recovery {
        /// What was tried.
        operation: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// Not even one unit could run.
    #[error("there is no room for a manager and one unit: raise the limit of open files or processes, or end some")]
    NoRoom(#[source] io::Error),
    /// A file of the database, or one beside it, would have become too large.
    #[error("a file would have become larger than the manager may make one: raise the limit (`ulimit -f`) and resume")]
    FileLimit(#[source] Box<ManagerError>),
    /// Another process holds the lock and has not said who it is.
    #[error("job {job} is locked by a process that did not name itself within {waited:?}")]
    LockHeld {
        /// The job.
        job: JobId,
        /// How long was waited for it.
        waited: Duration,
    },
    /// Another process is the manager.
    #[error("another process is the manager of job {job}")]
    Already {
        /// The job.
        job: JobId,
        /// That process, if it can be looked at.
        pid: Option<u32>,
    },
    /// The workers' threads cannot be started.
    #[error("cannot start {}", counted(workers, "worker"))]
    Workers {
        /// How many were wanted.
        workers: usize,
        /// The cause.
        source: rayon::ThreadPoolBuildError,
    },
    /// Handlers did not come back when their units were to end.
    #[error(
        "{} of job {job} did not return when it was to stop: their units were given back, and the job is {status}",
        counted(handlers, "handler")
    )]
    HandlersStay {
        /// The job.
        job: JobId,
        /// How many.
        handlers: usize,
        /// The state that the job was left in.
        status: JobStatus,
    },
    /// What became of units cannot be recorded, and it does not show why.
    #[error(
        "the ends of {} were not committed within {waited:?}: look at the disk, then resume, which records those of commands",
        counted(units, "unit")
    )]
    NotCommitted {
        /// How many.
        units: usize,
        /// How long that was waited for.
        waited: Duration,
    },
    /// A thread of the manager itself panicked.
    #[error("the manager panicked: {message}")]
    Panicked {
        /// The panic's message and place.
        message: String,
    },
}

impl From<RecoveryError> for ManagerError {
    fn from(error: RecoveryError) -> Self {
        match error {
            RecoveryError::Store(error) => Self::Store(error),
            RecoveryError::System { operation, source } => Self::Recovery { operation, source },
        }
    }
}

impl ManagerError {
    /// Returns what kind of error it is for whoever has started the manager.
    pub(super) fn kind(&self) -> ErrorKind {
        if let Self::Store(error) = self { error.kind() } else { ErrorKind::Internal }
    }

    /// Returns what the job is, if another manager or a client has ended or paused it.
    pub(super) fn ended_as(&self) -> Option<JobStatus> {
        match self {
            Self::Store(StoreError::WrongStatus { operation: GO_ON, status, .. }) => Some(*status),
            _ => None,
        }
    }

    /// Returns `true` if nothing more may be written: a later manager has taken over, or may have, the job was ended, or the database
    /// is not in its place.
    pub(super) fn is_fenced(&self) -> bool {
        self.ended_as().is_some()
            || matches!(
                self,
                Self::Store(StoreError::Fenced { .. } | StoreError::Moved { .. }) | Self::HandlersStay { .. }
            )
    }

    /// Returns `true` if the database merely could not be written, or something was lacking, at that time.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Store(error) => error.fault().is_some_and(Fault::passes),
            Self::System { source, .. } => lack_of(source).is_some(),
            Self::NotCommitted { .. } => true,
            _ => false,
        }
    }

    /// Names the limit of the size of files as the cause, if this may come of it.
    pub(super) fn of_file_limit(self, flags: &StopFlags) -> ManagerError {
        match &self {
            Self::Store(error) if error.fault() == Some(Fault::Unreachable) && flags.met_file_limit() => {
                Self::FileLimit(Box::new(self))
            }
            _ => self,
        }
    }

    /// Returns a function that wraps what the operating system said about an operation.
    pub(super) fn system(operation: &'static str) -> impl FnOnce(io::Error) -> ManagerError {
        move |source| ManagerError::System { operation, source }
    }
}
