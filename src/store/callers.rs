//! Connections to SQLite that belong to a caller, whatever state they are in: outside or inside a transaction, with or
//! without busy time-out, of whatever file.
//!
//! What is written through them has its own transaction or savepoint, undone as a whole when it fails or panics. The write
//! lock is taken before anything is read: a transaction that reads first cannot wait for it. Known weakness: a caller
//! that begins its own transaction by a connection without a busy time-out fails before anything here is asked.

use std::any::Any;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Integer};

use super::access::SCHEMA;
use super::connection::{BUSY_TIMEOUT, DbConnection, into_sqlite, lend};
use super::ended::Ended;
use super::failure::Failure;
use super::open::{ApplicationId, JournalMode, UserVersion, WAL};
use super::place::{Found, place_of};
use super::statement::statement;
use super::tables::APPLICATION_ID;
use super::{Access, Fault, Store, StoreError};

/// Stands for the path of a database that has none.
const CALLER: &str = "the caller's connection";

/// What the transactions of a caller end with.
pub type CallerError = diesel::result::Error;

statement! { struct TransientRetries {} "PRAGMA busy_timeout" -> Integer }
statement! { struct MainFile {} "SELECT CAST(file AS BLOB) FROM pragma_database_list WHERE name = 'main'" -> Binary }
// Changes nothing, and begins to write.
statement! { struct BeginWriting {} "UPDATE jobs SET epoch = epoch WHERE id IS NULL" }
statement! {
    struct HidingTables {}
    "SELECT count(*) FROM sqlite_temp_schema AS hiding JOIN main.sqlite_schema AS own ON own.name = hiding.name COLLATE NOCASE
     WHERE own.type = 'table' AND hiding.type IN ('table', 'view')"
    -> BigInt
}

/// So that a caller's transaction can return this error, and diesel can say that the transaction itself failed.
impl From<CallerError> for StoreError {
    fn from(error: CallerError) -> Self {
        Failure::Sql(error).during("commit the caller's transaction", Path::new(CALLER))
    }
}

impl Store {
    /// Opens a connection for a caller's own transactions, which waits, syncs and checks as this one does.
    ///
    /// # Errors
    /// Those of opening it; one on a server has connections of another kind.
    pub fn connect_caller(&self) -> Result<SqliteConnection, StoreError> {
        let conn = Store::open(self.path(), Access::Write)?.conn;
        let reason = || "it is on a server: Client::connect_to_server connects to it".to_owned();
        into_sqlite(conn).ok_or_else(|| StoreError::NotOurs { path: self.path().to_owned(), reason: reason() })
    }
}

/// Runs `body` in the caller's transaction, or in one of its own, undone as a whole when it fails or panics; `look` may refuse
/// the file.
pub(super) fn within<T, E: From<StoreError>>(
    conn: &mut SqliteConnection,
    operation: &'static str,
    look: impl FnOnce(&Path) -> Result<(), E>,
    body: impl FnOnce(&mut DbConnection) -> Result<T, Ended<E>>,
) -> Result<T, E> {
    let mut path = PathBuf::from(CALLER);
    let outcome = patiently(conn, |conn| {
        all_or_nothing(conn, operation, |conn| {
            if let Some(file) = usable_file(conn)? {
                look(&file).map_err(Ended::Refused)?;
                path = file;
            }
            lend(conn, body)
        })
    });
    match outcome {
        Ok(outcome) => outcome.map_err(|ended| ended.during(operation, &path)),
        Err(panic) => resume_unwind(panic),
    }
}

type Outcome<T, E> = Result<Result<T, Ended<E>>, Box<dyn Any + Send>>;

/// Has a connection wait for the write lock whose caller has chosen no time for that.
fn patiently<T, E>(
    conn: &mut SqliteConnection,
    body: impl FnOnce(&mut SqliteConnection) -> Outcome<T, E>,
) -> Outcome<T, E> {
    let chosen = match (TransientRetries {}).get_result::<i32>(conn) {
        Ok(chosen) => chosen,
        Err(error) => return Ok(Err(error.into())),
    };
    if chosen != 0 {
        return body(conn);
    }
    if let Err(error) = conn.batch_execute(&format!("PRAGMA busy_timeout = {}", BUSY_TIMEOUT.as_millis())) {
        return Ok(Err(error.into()));
    }
    let outcome = body(conn);
    // What was done is done; a connection that waits too long is better than one whose caller is told of a failure.
    let _ = conn.batch_execute("PRAGMA busy_timeout = 0");
    outcome
}

fn all_or_nothing<T, E>(
    conn: &mut SqliteConnection,
    operation: &'static str,
    body: impl FnOnce(&mut SqliteConnection) -> Result<T, Ended<E>>,
) -> Outcome<T, E> {
    let (keep, undo) = match begin(conn, operation) {
        Ok(words) => words,
        Err(failure) => return Ok(Err(failure.into())),
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| body(conn)));
    match &outcome {
        Ok(Ok(_)) => {
            if let Err(error) = conn.batch_execute(keep) {
                let _ = conn.batch_execute(undo);
                return Ok(Err(error.into()));
            }
        }
        // What SQLite has rolled back by itself cannot be rolled back again; the first error says why.
        Ok(Err(_)) | Err(_) => drop(conn.batch_execute(undo)),
    }
    outcome
}

/// Begins to write, and returns the words that keep what is written and those that undo it.
fn begin(conn: &mut SqliteConnection, operation: &'static str) -> Result<(&'static str, &'static str), Failure> {
    const INSIDE: &str = "within a transaction";
    // An immediate one would ask for the lock before it says that there is a transaction already.
    let is_inside = match conn.batch_execute("BEGIN") {
        Ok(()) => false,
        Err(error) if error.to_string().contains(INSIDE) => true,
        Err(error) => return Err(refused(conn, error)),
    };
    let (keep, undo) = match is_inside {
        true => ("RELEASE job_manager", "ROLLBACK TO job_manager; RELEASE job_manager"),
        false => ("COMMIT", "ROLLBACK"),
    };
    if is_inside {
        conn.batch_execute("SAVEPOINT job_manager")?;
    }
    let Err(error) = (BeginWriting {}).execute(conn) else { return Ok((keep, undo)) };
    let failure = match Fault::of_sql(&error) {
        Fault::Busy if is_inside => StoreError::NoWriteLock { operation }.into(),
        _ => refused(conn, error),
    };
    // As above: the first error says why.
    let _ = conn.batch_execute(undo);
    Err(failure)
}

/// Tells what is wrong with a database to which nothing can be written, if that is known.
fn refused(conn: &mut SqliteConnection, error: CallerError) -> Failure {
    match (Fault::of_sql(&error), usable_file(conn)) {
        (Fault::Unexpected | Fault::Incomplete | Fault::ReadOnly, Err(Failure::Store(known))) => known.into(),
        _ => error.into(),
    }
}

/// Returns the file of a caller's connection; refuses anything else than a database of this package in its present schema, that the
/// client would open.
fn usable_file(conn: &mut SqliteConnection) -> Result<Option<PathBuf>, Failure> {
    let bytes: Vec<u8> = MainFile {}.get_result(conn)?;
    let file = PathBuf::from(OsString::from_vec(bytes));
    let in_memory = file.as_os_str().is_empty();
    let path = || if in_memory { PathBuf::from(CALLER) } else { file.clone() };
    let (application, found): (i32, i32) = (ApplicationId {}.get_result(conn)?, UserVersion {}.get_result(conn)?);
    let not_ours = |reason: &str| StoreError::NotOurs { path: path(), reason: reason.to_owned() };
    if application != APPLICATION_ID {
        return Err(not_ours("open it with Client::create first").into());
    }
    if found > SCHEMA {
        return Err(StoreError::TooNew { path: path(), found, known: SCHEMA }.into());
    }
    if found < SCHEMA {
        return Err(StoreError::TooOld { path: path(), found, known: SCHEMA }.into());
    }
    if (HidingTables {}).get_result::<i64>(conn)? > 0 {
        return Err(not_ours("temporary tables of the connection hide its tables").into());
    }
    // One in memory holds a copy: nobody starts what is in it.
    if in_memory {
        return Err(not_ours("it is in memory, where no manager finds it").into());
    }
    let mode: String = JournalMode {}.get_result(conn)?;
    if mode != WAL {
        return Err(StoreError::NotWal { path: path(), mode }.into());
    }
    let found = Found::at(&place_of(&file)?.path)?;
    found.refuse_second_name()?;
    found.refuse_planted()?;
    Ok(Some(file))
}
