//! Why a manager does not start.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::wording::{excerpt, no_scope};
use crate::model::{Amount, ErrorKind, JobId, Timestamp, local_time};
use crate::sys::ScopeError;

/// A manager that could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// This executable would run itself again instead of a manager.
    #[error("call job_manager::run_if_manager first thing in main: managers are started from this executable")]
    HookMissing,
    /// The job is run by a function of some other program, which has not run it yet.
    #[error("job {job} is run by the handler {handler:?} of another program: start it from there the first time")]
    ProgramUnknown {
        /// The job.
        job: JobId,
        /// Name of the handler.
        handler: String,
    },
    /// No `job-manager` program was found.
    #[error("no job-manager program beside this executable or on PATH")]
    ProgramMissing,
    /// The job is to be run in a systemd scope of its own, which cannot be made here.
    #[error("{}", no_scope(*job))]
    NoScope {
        /// The job; none when it was about to be created, and was not.
        job: Option<JobId>,
        /// The cause.
        source: ScopeError,
    },
    /// The units of the job cannot run on this host.
    #[error("job {job} cannot run on this host: there is no {}", path.display())]
    HostLacks {
        /// The job.
        job: JobId,
        /// Its working directory, or the program of its command.
        path: PathBuf,
    },
    /// The budget of the job lets none of its units start.
    #[error("job {job} cannot go on: {said}")]
    OverBudget {
        /// The job.
        job: JobId,
        /// The meter.
        meter: String,
        /// What is spent of which budget.
        said: String,
        /// A budget that may be enough.
        raised: Amount,
    },
    /// The deadline of the job has passed.
    #[error("job {job} cannot go on: its deadline {} has passed", local_time(*deadline))]
    PastDeadline {
        /// The job.
        job: JobId,
        /// When that was.
        deadline: Timestamp,
    },
    /// The job is to start after another one that will not complete.
    #[error("job {job} waits for job {other}, which {what}")]
    Hopeless {
        /// The job.
        job: JobId,
        /// The other one.
        other: JobId,
        /// Where that stands.
        what: String,
    },
    /// The manager could not be started.
    #[error("cannot start {}", program.display())]
    Spawn {
        /// The program.
        program: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The manager said that it cannot run the job.
    #[error("the manager of job {job} cannot run it: {message}")]
    ManagerRefused {
        /// The job.
        job: JobId,
        /// What it said.
        message: String,
        /// What kind of error it has met.
        kind: ErrorKind,
    },
    /// The manager ended before it was ready.
    #[error("the manager of job {job} ended before it was ready, see {}{}", log.display(), excerpt(tail))]
    ManagerDied {
        /// The job.
        job: JobId,
        /// Its log.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },
    /// The manager was not ready in time; it may still become so.
    #[error("the manager of job {job} was not ready after {waited:?}, see {}", log.display())]
    StartTimedOut {
        /// The job.
        job: JobId,
        /// How long was waited.
        waited: Duration,
        /// Its log.
        log: PathBuf,
    },
}

impl StartError {
    /// Returns what kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::ProgramUnknown { .. }
            | Self::HostLacks { .. }
            | Self::OverBudget { .. }
            | Self::PastDeadline { .. }
            | Self::Hopeless { .. } => ErrorKind::Conflict,
            Self::ManagerRefused { kind, .. } => *kind,
            Self::HookMissing
            | Self::ProgramMissing
            | Self::NoScope { .. }
            | Self::Spawn { .. }
            | Self::ManagerDied { .. }
            | Self::StartTimedOut { .. } => ErrorKind::Internal,
        }
    }
}
