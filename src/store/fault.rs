//! Kinds of refusal by a database.

use diesel::result::{DatabaseErrorKind, Error as SqlError};

/// Kinds of refusal by a database that call for different answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Another process writes, and did not end in time.
    #[error("the database is busy, another process holds its write lock")]
    Busy,
    /// No space is left; nothing of the operation was kept.
    #[error("the disk is full")]
    Full,
    /// The file or its file system does not allow writing.
    #[error("the database is read-only")]
    ReadOnly,
    /// The file is not a sound database any more.
    #[error("the database is damaged, restore a backup or salvage it with `sqlite3 FILE .recover`")]
    Damaged,
    /// A table, a column or an index of ours is not there.
    #[error("the database is damaged, a part of its schema is missing: restore a backup")]
    Incomplete,
    /// The file cannot be opened, read or written.
    #[error("the database cannot be reached")]
    Unreachable,
    /// A rule of the schema was violated.
    #[error("a rule of the schema was violated")]
    Constraint,
    /// A row holds what this version cannot read.
    #[error("a row holds what this version cannot read")]
    Unreadable,
    /// Another transaction was in the way, or had what this one waited for; the same transaction may succeed at once.
    #[error("the database is busy, another transaction was in the way")]
    Conflict,
    /// The server is not reached, takes no connection at the moment, or has ended this one: another one is needed.
    #[error("the server of the database cannot be reached")]
    Disconnected,
    /// The server takes no changes, because it is a standby or was told so; another connection may find one that does.
    #[error("the server of the database takes no changes, it is a standby or was made read-only")]
    Standby,
    /// The server knows the user, and does not allow it what was tried.
    #[error("the server of the database does not allow that to this user")]
    Denied,
    /// The server does not let the user in.
    #[error("the server of the database refuses this user or its password")]
    LoginRefused,
    /// The server has no database of that name.
    #[error("the server has no such database")]
    UnknownDatabase,
    /// Anything else; the cause has the database's own words.
    #[error("the database refused")]
    Unexpected,
}

impl Fault {
    /// Classifies an error of diesel.
    pub(super) fn of_sql(error: &SqlError) -> Fault {
        match error {
            SqlError::DatabaseError(kind, information) => match kind {
                // Nothing of PostgreSQL is sent on a connection that is lost.
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => Fault::Disconnected,
                DatabaseErrorKind::SerializationFailure => Fault::Conflict,
                DatabaseErrorKind::ReadOnlyTransaction => Fault::Standby,
                DatabaseErrorKind::UniqueViolation
                | DatabaseErrorKind::ForeignKeyViolation
                | DatabaseErrorKind::RestrictViolation
                | DatabaseErrorKind::NotNullViolation
                | DatabaseErrorKind::CheckViolation
                | DatabaseErrorKind::ExclusionViolation => Fault::Constraint,
                _ => Self::of_message(information.message()),
            },
            SqlError::DeserializationError(_) => Fault::Unreadable,
            // A transaction could not be undone because its connection was lost.
            SqlError::BrokenTransactionManager => Fault::Disconnected,
            // The commit's own error is the cause; the rollback that failed after it is a consequence.
            SqlError::RollbackErrorOnCommit { commit_error, .. } => Self::of_sql(commit_error),
            _ => Fault::Unexpected,
        }
    }

    /// Returns `true` if the same may succeed a little later, though nobody mends anything.
    pub(crate) fn passes(self) -> bool {
        matches!(self, Self::Busy | Self::Full | Self::Conflict | Self::Disconnected | Self::Standby)
    }

    /// Classifies one of the database's fixed texts; diesel does not hand out the result code.
    pub(super) fn of_message(message: &str) -> Fault {
        const TEXTS: &[(&str, Fault)] = &[
            ("database is locked", Fault::Busy),
            ("database table is locked", Fault::Busy),
            ("locking protocol", Fault::Busy),
            ("database or disk is full", Fault::Full),
            ("readonly database", Fault::ReadOnly),
            ("disk image is malformed", Fault::Damaged),
            ("no such table", Fault::Incomplete),
            ("no such column", Fault::Incomplete),
            ("no such index", Fault::Incomplete),
            ("has no column named", Fault::Incomplete),
            ("file is not a database", Fault::Damaged),
            ("disk I/O error", Fault::Unreachable),
            ("unable to open database file", Fault::Unreachable),
        ];
        let found = TEXTS.iter().find(|(text, _)| message.contains(text)).map(|(_, fault)| *fault);
        #[cfg(feature = "postgres")]
        let found = found.or_else(|| Self::of_server_message(message));
        found.unwrap_or(Fault::Unexpected)
    }
}

/// Says how a value stands where it should be another one.
pub(super) fn read_as(value: Option<&str>) -> String {
    value.map_or_else(|| "is missing".to_owned(), |value| format!("is {value:?}"))
}
