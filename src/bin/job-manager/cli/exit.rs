//! The exit codes: one table, a contract with scripts.

use job_manager::client::JobOutcome;
use job_manager::model::ErrorKind;

/// Exit code of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// Done as asked.
    Success,
    /// An error that should not happen.
    Unexpected,
    /// Usage error, bad source or template, refused for want of `-y`.
    Usage,
    /// No such job, unit or database, or the filter matched nothing.
    NotFound,
    /// The job is in a state in which this cannot be done.
    WrongState,
    /// The database is busy, unreachable, full or damaged.
    Database,
    /// The job failed.
    JobFailed,
    /// The job was cancelled.
    JobCancelled,
    /// The job is paused or waits for approval.
    JobPaused,
    /// The job's manager died.
    ManagerLost,
    /// `wait --timeout` ran out.
    TimedOut,
    /// The command cannot be executed.
    CommandNotExecutable,
    /// The command is not found.
    CommandNotFound,
    /// Ctrl-C in `run`: the job goes on.
    Detached,
}

impl Exit {
    /// Returns the number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Unexpected => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::WrongState => 4,
            Self::Database => 5,
            Self::JobFailed => 10,
            Self::JobCancelled => 11,
            Self::JobPaused => 12,
            Self::ManagerLost => 13,
            Self::TimedOut => 124,
            Self::CommandNotExecutable => 126,
            Self::CommandNotFound => 127,
            Self::Detached => 130,
        }
    }
}

impl From<JobOutcome> for Exit {
    fn from(outcome: JobOutcome) -> Exit {
        match outcome {
            JobOutcome::Completed => Exit::Success,
            JobOutcome::Failed => Exit::JobFailed,
            JobOutcome::Cancelled => Exit::JobCancelled,
            JobOutcome::Paused | JobOutcome::AwaitingApproval => Exit::JobPaused,
            JobOutcome::ManagerLost => Exit::ManagerLost,
        }
    }
}

impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Exit {
        match kind {
            ErrorKind::InvalidInput => Exit::Usage,
            ErrorKind::NotFound => Exit::NotFound,
            ErrorKind::Conflict => Exit::WrongState,
            ErrorKind::Busy | ErrorKind::Unavailable | ErrorKind::Database => Exit::Database,
            ErrorKind::TimedOut => Exit::TimedOut,
            ErrorKind::CommandNotExecutable => Exit::CommandNotExecutable,
            ErrorKind::CommandNotFound => Exit::CommandNotFound,
            ErrorKind::Interrupted => Exit::Detached,
            ErrorKind::Internal => Exit::Unexpected,
        }
    }
}
