//! Which kind each error of the store is.

use super::{Fault, FlagRefused, GroupRefused, StoreError};
use crate::model::ErrorKind;

impl StoreError {
    /// Returns what kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoDatabase { .. } | Self::NoDirectory { .. } | Self::JobNotFound(_) => ErrorKind::NotFound,
            Self::NotOurs { .. }
            | Self::MountedAlone { .. }
            | Self::Planted(_)
            | Self::SeveralNames { .. }
            | Self::DamagedRecord { .. }
            | Self::Unreadable(_)
            | Self::Moved { .. }
            | Self::TooNew { .. }
            | Self::TooOld { .. }
            | Self::TooOldToRead { .. }
            | Self::NotWal { .. }
            | Self::NoWriteLock { .. }
            | Self::SqliteTooOld { .. }
            | Self::Files { .. } => ErrorKind::Database,
            Self::Database { fault, .. } => match fault {
                Fault::Busy | Fault::Conflict => ErrorKind::Busy,
                Fault::Full | Fault::Unreachable | Fault::Disconnected | Fault::Standby => ErrorKind::Unavailable,
                Fault::ReadOnly
                | Fault::Damaged
                | Fault::Incomplete
                | Fault::Unreadable
                | Fault::Denied
                | Fault::LoginRefused
                | Fault::UnknownDatabase => ErrorKind::Database,
                Fault::Constraint | Fault::Unexpected => ErrorKind::Internal,
            },
            #[cfg(feature = "postgres")]
            Self::Postgres(refused) => refused.kind(),
            Self::WrongStatus { .. }
            | Self::Cancelling(_)
            | Self::ManagedElsewhere { .. }
            | Self::AttemptOver { .. }
            | Self::PathInUse { .. }
            | Self::KeyInUse { .. }
            | Self::CopyRefused(_)
            | Self::FlagRefused(FlagRefused::Decided { .. }) => ErrorKind::Conflict,
            Self::GroupRefused(GroupRefused::NotFound { .. }) | Self::FlagRefused(FlagRefused::NoUnit { .. }) => {
                ErrorKind::NotFound
            }
            Self::MeterRefused(_) | Self::GroupRefused(_) | Self::FlagRefused(_) => ErrorKind::InvalidInput,
            Self::EmptyPath
            | Self::NoPath { .. }
            | Self::NewJob(_)
            | Self::DuplicateUnitKey { .. }
            | Self::KeyTwice { .. }
            | Self::SamePath { .. }
            | Self::NotSplit { .. }
            | Self::ReservedUnitKey { .. }
            | Self::TooManyUnits { .. } => ErrorKind::InvalidInput,
            Self::Fenced { .. } => ErrorKind::Internal,
        }
    }

    /// Returns `true` if there is no database yet, which the first job would make.
    pub fn is_no_database(&self) -> bool {
        match self {
            Self::NoDatabase { .. } => true,
            #[cfg(feature = "postgres")]
            Self::Postgres(refused) => refused.is_no_tables(),
            _ => false,
        }
    }

    /// Returns the kind of the database's refusal, if that is what happened.
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Self::Database { fault, .. } => Some(*fault),
            #[cfg(feature = "postgres")]
            Self::Postgres(refused) => refused.fault(),
            _ => None,
        }
    }
}
