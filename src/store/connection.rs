//! What every connection is made with.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
#[cfg(feature = "postgres")]
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::time::Duration;

#[cfg(feature = "postgres")]
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::prelude::*;

/// One connection, to whichever database there is.
#[cfg(not(feature = "postgres"))]
pub(super) type DbConnection = SqliteConnection;
/// What tells one kind of database from the other.
#[cfg(not(feature = "postgres"))]
pub(super) type Db = diesel::sqlite::Sqlite;

#[cfg(feature = "postgres")]
pub(super) use either::{DbConnection, MultiBackend as Db, MultiRawValue as RawValue};

#[cfg(feature = "postgres")]
mod either {
    use diesel::{PgConnection, SqliteConnection};

    /// One connection, to whichever database there is.
    #[derive(diesel::MultiConnection)]
    pub enum DbConnection {
        Sqlite(SqliteConnection),
        Postgres(PgConnection),
    }
}

/// Returns a connection to SQLite as one to any database.
pub(super) fn of_sqlite(conn: SqliteConnection) -> DbConnection {
    #[cfg(not(feature = "postgres"))]
    return conn;
    #[cfg(feature = "postgres")]
    DbConnection::Sqlite(conn)
}

/// Returns the connection to SQLite, if it is one.
pub(super) fn as_sqlite(conn: &mut DbConnection) -> Option<&mut SqliteConnection> {
    #[cfg(not(feature = "postgres"))]
    return Some(conn);
    #[cfg(feature = "postgres")]
    match conn {
        DbConnection::Sqlite(conn) => Some(conn),
        DbConnection::Postgres(_) => None,
    }
}

/// Returns `true` for a connection to a server.
pub(super) fn on_server(conn: &mut DbConnection) -> bool {
    as_sqlite(conn).is_none()
}

/// Returns the connection to SQLite itself, if it is one.
pub(super) fn into_sqlite(conn: DbConnection) -> Option<SqliteConnection> {
    #[cfg(not(feature = "postgres"))]
    return Some(conn);
    #[cfg(feature = "postgres")]
    match conn {
        DbConnection::Sqlite(conn) => Some(conn),
        DbConnection::Postgres(_) => None,
    }
}

/// Lends a connection to SQLite as one to any database; it is back when this returns, also when `body` panics.
pub(super) fn lend<T>(conn: &mut SqliteConnection, body: impl FnOnce(&mut DbConnection) -> T) -> QueryResult<T> {
    #[cfg(not(feature = "postgres"))]
    return Ok(body(conn));
    #[cfg(feature = "postgres")]
    {
        let stand_in = SqliteConnection::establish(":memory:");
        let stand_in = stand_in.map_err(|error| diesel::result::Error::QueryBuilderError(Box::new(error)))?;
        let mut lent = DbConnection::Sqlite(std::mem::replace(conn, stand_in));
        let outcome = catch_unwind(AssertUnwindSafe(|| body(&mut lent)));
        if let DbConnection::Sqlite(lent) = lent {
            *conn = lent;
        }
        outcome.map_or_else(|panic| resume_unwind(panic), Ok)
    }
}

/// Runs `body` in a transaction that writes; where only one connection may write at a time, it is this one from the beginning.
pub(super) fn write_transaction<T, E: From<diesel::result::Error>>(
    conn: &mut DbConnection,
    body: impl FnOnce(&mut DbConnection) -> Result<T, E>,
) -> Result<T, E> {
    #[cfg(not(feature = "postgres"))]
    return conn.immediate_transaction(body);
    #[cfg(feature = "postgres")]
    within(conn, ["BEGIN IMMEDIATE", "BEGIN"], body)
}

/// Runs `body` on one snapshot of the database.
pub(super) fn read_transaction<T, E: From<diesel::result::Error>>(
    conn: &mut DbConnection,
    body: impl FnOnce(&mut DbConnection) -> Result<T, E>,
) -> Result<T, E> {
    #[cfg(not(feature = "postgres"))]
    return conn.transaction(body);
    #[cfg(feature = "postgres")]
    within(conn, ["BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"], body)
}

/// Runs `body` in a transaction that begins with the words of its database, SQLite's first.
#[cfg(feature = "postgres")]
fn within<T, E: From<diesel::result::Error>>(
    conn: &mut DbConnection,
    [sqlite, postgres]: [&str; 2],
    body: impl FnOnce(&mut DbConnection) -> Result<T, E>,
) -> Result<T, E> {
    match conn {
        DbConnection::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, sqlite)?,
        DbConnection::Postgres(conn) => AnsiTransactionManager::begin_transaction_sql(conn, postgres)?,
    }
    match body(conn) {
        Ok(value) => DbConnection::commit_transaction(conn).map(|()| value).map_err(E::from),
        Err(error) => match DbConnection::rollback_transaction(conn) {
            Ok(()) => Err(error),
            Err(rollback) => Err(rollback.into()),
        },
    }
}

/// How long a statement waits for another process's transaction before it gives up.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Writes a path so that it passes through a `file:` URI unharmed, whatever bytes it has.
pub(super) fn percent_encoded(path: &Path) -> String {
    path.as_os_str().as_bytes().iter().fold(String::new(), |mut text, &byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => text.push(char::from(byte)),
            _ => write!(text, "%{byte:02X}").expect("writing to a string cannot fail"),
        }
        text
    })
}
