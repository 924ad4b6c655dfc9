//! The exit codes: one table, a contract with scripts.

use crate::client::{ClientError, JobOutcome, SubmissionError};
#[cfg(feature = "serve")]
use crate::dashboard::DashboardError;
use crate::handler::ProgramError;
use crate::source::SourceError;
use crate::store::{Fault, StoreError};

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

/// Maps every error of the client to its one code.
pub(super) fn of_client(error: &ClientError) -> Exit {
    match error {
        ClientError::Store(error) => of_store(error),
        ClientError::NotStarted { source, .. } => of_client(source),
        ClientError::Source(_)
        | ClientError::KeyTwice { .. }
        | ClientError::WorkersOutOfRange { .. }
        | ClientError::RelativeDisk { .. }
        | ClientError::NoDisk { .. }
        | ClientError::Zone { .. }
        | ClientError::UnitLimit(_)
        | ClientError::NoSuchSecret { .. } => Exit::Usage,
        ClientError::NoUnits
        | ClientError::NoSuchJob { .. }
        | ClientError::NoJobOfKey { .. }
        | ClientError::NoUnitOfKey { .. }
        | ClientError::AmbiguousJob { .. }
        | ClientError::UnitNotFound { .. }
        | ClientError::AttemptNotFound { .. }
        | ClientError::NoUnitFits { .. } => Exit::NotFound,
        ClientError::KeyOfAnotherJob { .. }
        | ClientError::NothingToRun { .. }
        | ClientError::OneItemEach { .. }
        | ClientError::SeveralItems { .. }
        | ClientError::AwaitsApproval { .. }
        | ClientError::UnitIdle { .. }
        | ClientError::WrongStatus { .. }
        | ClientError::StillStopping { .. }
        | ClientError::StillCancelling { .. }
        | ClientError::CancelUnfinished { .. }
        | ClientError::Interrupted { .. }
        | ClientError::ManagerRuns { .. }
        | ClientError::OrphansRemain { .. }
        | ClientError::ProgramUnknown { .. }
        | ClientError::OutputNotKept { .. }
        | ClientError::OtherOwner { .. }
        | ClientError::SecretsMissing { .. }
        | ClientError::AtMostOnce { .. }
        | ClientError::HealthUnknown { .. } => Exit::WrongState,
        ClientError::Files { .. }
        | ClientError::Output { .. }
        | ClientError::SharedDisk { .. }
        | ClientError::OpenToAll { .. } => Exit::Database,
        ClientError::WaitTimedOut { .. } => Exit::TimedOut,
        ClientError::HookMissing
        | ClientError::ProgramMissing
        | ClientError::NoScope { .. }
        | ClientError::Spawn { .. }
        | ClientError::ManagerRefused { .. }
        | ClientError::ManagerDied { .. }
        | ClientError::StartTimedOut { .. } => Exit::Unexpected,
    }
}

/// Maps every reason to refuse a submission to its one code.
pub(super) fn of_submission(error: &SubmissionError) -> Exit {
    match error {
        SubmissionError::Client(error) => of_client(error),
        SubmissionError::OtherUnitKey { .. } => Exit::WrongState,
        SubmissionError::Program(ProgramError::Empty | ProgramError::NotFound(_) | ProgramError::OneWord(_)) => {
            Exit::CommandNotFound
        }
        SubmissionError::Program(ProgramError::NotExecutable(_) | ProgramError::InterpreterMissing { .. }) => {
            Exit::CommandNotExecutable
        }
        SubmissionError::Source(error) => of_source(error),
        SubmissionError::Template(_)
        | SubmissionError::UnitLimit(_)
        | SubmissionError::Item { .. }
        | SubmissionError::KeyTooLong { .. }
        | SubmissionError::KeyReserved { .. }
        | SubmissionError::KeyEmpty { .. }
        | SubmissionError::KeyCounts { .. }
        | SubmissionError::NoItems { .. }
        | SubmissionError::NoItemsToRead
        | SubmissionError::NoItemsToGroup
        | SubmissionError::KeyOfSeveral
        | SubmissionError::LimitsOfSeveral
        | SubmissionError::NothingToFill
        | SubmissionError::OtherForm { .. }
        | SubmissionError::OtherKind { .. }
        | SubmissionError::EnvName(_)
        | SubmissionError::EnvReserved(_)
        | SubmissionError::EnvTwice(_)
        | SubmissionError::OutputDir { .. }
        | SubmissionError::NotAShell { .. }
        | SubmissionError::OutputDirTemplate(_)
        | SubmissionError::ShellArguments { .. }
        | SubmissionError::EnvMissing(_)
        | SubmissionError::EnvOnlyName(_)
        | SubmissionError::SecretValue(_)
        | SubmissionError::NoWorkingDirectory(_)
        | SubmissionError::NoDirectory(_) => Exit::Usage,
        SubmissionError::Cwd(_) | SubmissionError::Spec(_) => Exit::Unexpected,
    }
}

/// Maps every error of a source to its one code.
pub(super) fn of_source(error: &SourceError) -> Exit {
    match error {
        SourceError::Empty { .. } | SourceError::EmptyList { .. } => Exit::NotFound,
        _ => Exit::Usage,
    }
}

/// Maps every error of the dashboard to its one code.
#[cfg(feature = "serve")]
pub(super) fn of_dashboard(error: &DashboardError) -> Exit {
    match error {
        DashboardError::Client(error) => of_client(error),
        DashboardError::PortInUse { .. } => Exit::Usage,
        DashboardError::Token { .. } | DashboardError::TokenUnsafe { .. } => Exit::Database,
        DashboardError::Listen { .. } | DashboardError::Server(_) => Exit::Unexpected,
    }
}

fn of_store(error: &StoreError) -> Exit {
    match error {
        StoreError::NoDatabase { .. } | StoreError::NoDirectory { .. } | StoreError::JobNotFound(_) => Exit::NotFound,
        StoreError::NotOurs { .. }
        | StoreError::MountedAlone { .. }
        | StoreError::Planted(_)
        | StoreError::SeveralNames { .. }
        | StoreError::DamagedRecord { .. }
        | StoreError::Unreadable(_)
        | StoreError::Moved { .. }
        | StoreError::TooNew { .. }
        | StoreError::TooOld { .. }
        | StoreError::NotWal { .. }
        | StoreError::NoWriteLock { .. }
        | StoreError::SqliteTooOld { .. }
        | StoreError::Files { .. } => Exit::Database,
        StoreError::Database { fault, .. } => match fault {
            Fault::Busy | Fault::Full | Fault::ReadOnly | Fault::Damaged | Fault::Unreachable => Exit::Database,
            Fault::Constraint | Fault::Unreadable | Fault::Unexpected => Exit::Unexpected,
        },
        StoreError::WrongStatus { .. } | StoreError::AttemptOver { .. } | StoreError::KeyInUse { .. } => {
            Exit::WrongState
        }
        StoreError::EmptyPath
        | StoreError::NewJob(_)
        | StoreError::DuplicateUnitKey { .. }
        | StoreError::KeyTwice { .. }
        | StoreError::SamePath { .. }
        | StoreError::NotSplit { .. }
        | StoreError::ReservedUnitKey { .. }
        | StoreError::TooManyUnits { .. } => Exit::Usage,
        StoreError::Fenced { .. } => Exit::Unexpected,
    }
}
