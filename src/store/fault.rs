//! Kinds of refusal by SQLite.

use diesel::result::Error as SqlError;

/// Kinds of refusal by SQLite that call for different answers.
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
    /// Anything else; the cause has SQLite's words.
    #[error("SQLite refused")]
    Unexpected,
}

impl Fault {
    /// Classifies an error of diesel.
    pub(super) fn of_sql(error: &SqlError) -> Fault {
        match error {
            SqlError::DatabaseError(kind, information) => match kind {
                diesel::result::DatabaseErrorKind::Unknown => Self::of_message(information.message()),
                _ => Fault::Constraint,
            },
            SqlError::DeserializationError(_) => Fault::Unreadable,
            // The commit's own error is the cause; the rollback that failed after it is a consequence.
            SqlError::RollbackErrorOnCommit { commit_error, .. } => Self::of_sql(commit_error),
            _ => Fault::Unexpected,
        }
    }

    /// Classifies one of SQLite's fixed texts; diesel does not hand out the result code.
    pub(super) fn of_message(message: &str) -> Fault {
        const TEXTS: &[(&str, Fault)] = &[
            ("database is locked", Fault::Busy),
            ("database table is locked", Fault::Busy),
            ("locking protocol", Fault::Busy),
            ("database or disk is full", Fault::Full),
            ("readonly database", Fault::ReadOnly),
            ("malformed", Fault::Damaged),
            ("no such table", Fault::Incomplete),
            ("no such column", Fault::Incomplete),
            ("no such index", Fault::Incomplete),
            ("has no column named", Fault::Incomplete),
            ("file is not a database", Fault::Damaged),
            ("disk I/O error", Fault::Unreachable),
            ("unable to open database file", Fault::Unreachable),
        ];
        TEXTS.iter().find(|(text, _)| message.contains(text)).map_or(Fault::Unexpected, |(_, fault)| *fault)
    }
}
