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
#[cfg(feature = "postgres")]
use replace_with::replace_with_or_abort_and_return;

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

/// Returns the connection to a server itself, if it is one.
#[cfg(feature = "postgres")]
pub(super) fn into_server(conn: DbConnection) -> Option<PgConnection> {
    match conn {
        DbConnection::Sqlite(_) => None,
        DbConnection::Postgres(conn) => Some(conn),
    }
}

/// Lends a connection to SQLite as one to any database; it is back when this returns, also when `body` panics.
pub(super) fn lend<T>(conn: &mut SqliteConnection, body: impl FnOnce(&mut DbConnection) -> T) -> T {
    #[cfg(not(feature = "postgres"))]
    return body(conn);
    #[cfg(feature = "postgres")]
    lend_own(conn, DbConnection::Sqlite, into_sqlite, body)
}

/// Lends a connection to a server likewise.
#[cfg(feature = "postgres")]
pub(super) fn lend_server<T>(conn: &mut PgConnection, body: impl FnOnce(&mut DbConnection) -> T) -> T {
    lend_own(conn, DbConnection::Postgres, into_server, body)
}

#[cfg(feature = "postgres")]
fn lend_own<C, T>(
    conn: &mut C,
    lend: fn(C) -> DbConnection,
    take_back: fn(DbConnection) -> Option<C>,
    body: impl FnOnce(&mut DbConnection) -> T,
) -> T {
    let outcome = replace_with_or_abort_and_return(conn, |own| {
        let mut lent = lend(own);
        let outcome = catch_unwind(AssertUnwindSafe(|| body(&mut lent)));
        (outcome, take_back(lent).expect("a connection remains one of its kind"))
    });
    outcome.unwrap_or_else(|panic| resume_unwind(panic))
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
