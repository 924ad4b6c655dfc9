//! A caller's own connection, of either kind.

use std::path::Path;

#[cfg(feature = "postgres")]
use diesel::PgConnection;
use diesel::SqliteConnection;

use super::StoreError;
use super::callers;
use super::connection::DbConnection;
use super::ended::Ended;
#[cfg(feature = "postgres")]
use super::postgres;

/// A connection to a database in a file, of a caller's own.
pub type FileConnection = SqliteConnection;

/// A connection to a database of this package that belongs to a caller: diesel's to SQLite or, with the feature `postgres`, to
/// PostgreSQL. One of a pool is `&mut *pooled`.
pub trait CallerConnection {
    #[doc(hidden)]
    fn caller(&mut self) -> Caller<'_>;
}

/// Which kind it is.
pub enum Caller<'c> {
    /// One to a file.
    File(&'c mut SqliteConnection),
    /// One to a server.
    #[cfg(feature = "postgres")]
    Server(&'c mut PgConnection),
}

impl CallerConnection for SqliteConnection {
    fn caller(&mut self) -> Caller<'_> {
        Caller::File(self)
    }
}

#[cfg(feature = "postgres")]
impl CallerConnection for PgConnection {
    fn caller(&mut self) -> Caller<'_> {
        Caller::Server(self)
    }
}

impl Caller<'_> {
    /// Returns `true` for a connection to a server.
    pub fn is_on_server(&self) -> bool {
        match self {
            Caller::File(_) => false,
            #[cfg(feature = "postgres")]
            Caller::Server(_) => true,
        }
    }
}

/// Runs `body` in the caller's transaction, or in one of its own, undone as a whole when it fails or panics; `look` may refuse
/// the file, if there is one.
pub(super) fn within<T, E: From<StoreError>>(
    conn: Caller<'_>,
    operation: &'static str,
    look: impl FnOnce(&Path) -> Result<(), E>,
    body: impl FnOnce(&mut DbConnection) -> Result<T, Ended<E>>,
) -> Result<T, E> {
    match conn {
        Caller::File(conn) => callers::within(conn, operation, look, body),
        #[cfg(feature = "postgres")]
        Caller::Server(conn) => postgres::within(conn, operation, body),
    }
}
