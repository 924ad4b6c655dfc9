//! Which kind each error of the client is, and how one about a file is made.

use std::io;
use std::path::PathBuf;

use super::ClientError;
use crate::files::explain_denied;
use crate::model::ErrorKind;

impl ClientError {
    /// Returns what kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::Access(error) => error.kind(),
            Self::Start(error) => error.kind(),
            Self::Copy(error) => error.kind(),
            Self::Later(error) => error.kind(),
            Self::NotStarted { source, .. } => source.kind(),
            Self::Source(_)
            | Self::KeyTwice { .. }
            | Self::Limit(_)
            | Self::UnitLimit(_)
            | Self::NoSuchSecret { .. } => ErrorKind::InvalidInput,
            Self::NoUnits
            | Self::NoSuchJob { .. }
            | Self::NoJobOfKey { .. }
            | Self::NoUnitOfKey { .. }
            | Self::AmbiguousJob { .. }
            | Self::UnitNotFound { .. }
            | Self::AttemptNotFound { .. }
            | Self::NoUnitFits { .. } => ErrorKind::NotFound,
            Self::KeyOfAnotherJob { .. }
            | Self::AtMostOnce { .. }
            | Self::NothingToRun { .. }
            | Self::OneItemEach { .. }
            | Self::SeveralItems { .. }
            | Self::AwaitsApproval { .. }
            | Self::UnitIdle { .. }
            | Self::WrongStatus { .. }
            | Self::StillStopping { .. }
            | Self::StillCancelling { .. }
            | Self::CancelUnfinished { .. }
            | Self::Interrupted { .. }
            | Self::ManagerRuns { .. }
            | Self::OrphansRemain { .. }
            | Self::OutputNotKept { .. }
            | Self::SecretsMissing { .. }
            | Self::HealthUnknown { .. } => ErrorKind::Conflict,
            Self::Files { .. } | Self::Output { .. } => ErrorKind::Database,
            Self::WaitTimedOut { .. } => ErrorKind::TimedOut,
        }
    }
}

impl ClientError {
    /// Returns a function that wraps what the operating system said about a file.
    pub(in crate::client) fn files(
        operation: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> ClientError {
        let path = path.into();
        move |source| {
            let source = explain_denied(&path, source);
            ClientError::Files { operation, path, source }
        }
    }
}
