//! What ends a transaction.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use diesel::result::Error as SqlError;

use super::StoreError;
use super::connection::DbConnection;
use super::fault::Fault;
use crate::files::denied_beside;
use crate::model::{NewJobError, Unreadable};

/// What ends a transaction: SQLite's refusal, or our own.
#[derive(Debug)]
pub(super) enum Failure {
    Sql(SqlError),
    Store(StoreError),
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        Self::Sql(error)
    }
}

impl From<NewJobError> for Failure {
    fn from(error: NewJobError) -> Self {
        Self::Store(error.into())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Unreadable> for Failure {
    fn from(found: Unreadable) -> Self {
        Self::Store(found.into())
    }
}

impl Failure {
    /// Adds what was tried on which database.
    pub(super) fn during(self, operation: &'static str, path: &Path) -> StoreError {
        match self {
            Self::Store(error) => error,
            Self::Sql(error) => StoreError::refused_by_sqlite(operation, Fault::of_sql(&error), path, Box::new(error)),
        }
    }
}

impl StoreError {
    /// Says what SQLite refused, and which file it was not allowed to open.
    pub(super) fn refused_by_sqlite(
        operation: &'static str,
        fault: Fault,
        path: &Path,
        source: Box<dyn std::error::Error + Send + Sync>,
    ) -> StoreError {
        let denied = if matches!(fault, Fault::Unreachable | Fault::ReadOnly) { denied_beside(path) } else { None };
        let source = denied.map_or(source, |denied| Box::new(denied));
        Self::Database { operation, fault, path: path.to_owned(), source }
    }
}

/// Runs the body of a transaction; a panic in it becomes a failure, so that the transaction is undone before it goes on its way.
pub(super) fn caught<T>(
    conn: &mut DbConnection,
    body: impl FnOnce(&mut DbConnection) -> Result<T, Failure>,
    panicked: &mut Option<Box<dyn Any + Send>>,
) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(|| body(conn))).unwrap_or_else(|panic| {
        *panicked = Some(panic);
        Err(diesel::result::Error::RollbackTransaction.into())
    })
}
