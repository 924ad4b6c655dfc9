//! Which kind each error of the client is.

use super::ClientError;
use crate::model::ErrorKind;

impl ClientError {
    /// Returns what kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Store(error) => error.kind(),
            Self::NotStarted { source, .. } => source.kind(),
            Self::Source(_)
            | Self::KeyTwice { .. }
            | Self::WorkersOutOfRange { .. }
            | Self::RelativeDisk { .. }
            | Self::NoDisk { .. }
            | Self::Zone { .. }
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
            | Self::ProgramUnknown { .. }
            | Self::OutputNotKept { .. }
            | Self::OtherOwner { .. }
            | Self::SecretsMissing { .. }
            | Self::HealthUnknown { .. } => ErrorKind::Conflict,
            Self::Files { .. } | Self::Output { .. } | Self::SharedDisk { .. } | Self::OpenToAll { .. } => {
                ErrorKind::Database
            }
            // It is over when that manager has left.
            Self::OlderManager { .. } => ErrorKind::Busy,
            Self::WaitTimedOut { .. } => ErrorKind::TimedOut,
            Self::HookMissing
            | Self::ProgramMissing
            | Self::NoScope { .. }
            | Self::Spawn { .. }
            | Self::ManagerRefused { .. }
            | Self::ManagerDied { .. }
            | Self::StartTimedOut { .. } => ErrorKind::Internal,
        }
    }
}
