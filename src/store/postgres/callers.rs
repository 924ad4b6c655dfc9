//! Connections to a server that belong to a caller, outside or inside a transaction, of whatever isolation.
//!
//! What is written through them has its own transaction or savepoint, undone as a whole when it fails or panics. Known weaknesses: a
//! server that speaks another language to the caller is shown in its own words; a caller that adds units to a job and does not end its
//! transaction has the job's managers wait.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

use diesel::PgConnection;
use diesel::connection::SimpleConnection;

use super::open::{CALLER, look_at_caller};
use crate::store::StoreError;
use crate::store::connection::{DbConnection, lend_server};
use crate::store::ended::Ended;

/// A connection to a database on a server, of a caller's own.
pub type ServerConnection = PgConnection;

/// Runs `body` in the caller's transaction, or in one of its own, undone as a whole when it fails or panics.
pub(in crate::store) fn within<T, E: From<StoreError>>(
    conn: &mut PgConnection,
    operation: &'static str,
    body: impl FnOnce(&mut DbConnection) -> Result<T, Ended<E>>,
) -> Result<T, E> {
    let failed = |ended: Ended<E>| ended.during(operation, Path::new(CALLER));
    let (keep, undo) = begin(conn).map_err(|error| failed(error.into()))?;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        look_at_caller(conn)?;
        lend_server(conn, body)
    }));
    match outcome {
        Ok(Ok(value)) => match conn.batch_execute(keep) {
            Ok(()) => Ok(value),
            Err(error) => Err(failed(error.into())),
        },
        ended => {
            // What the server has ended cannot be undone again; the first error says why.
            let _ = conn.batch_execute(undo);
            match ended {
                Ok(ended) => ended.map_err(failed),
                Err(panic) => resume_unwind(panic),
            }
        }
    }
}

/// Begins to write, and returns the words that keep what is written and those that undo it.
fn begin(conn: &mut PgConnection) -> diesel::QueryResult<(&'static str, &'static str)> {
    // Refused outside of a transaction, and in one that has failed already: then BEGIN is refused too.
    match conn.batch_execute("SAVEPOINT job_manager") {
        Ok(()) => Ok(("RELEASE job_manager", "ROLLBACK TO job_manager; RELEASE job_manager")),
        Err(_) => conn.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED").map(|()| ("COMMIT", "ROLLBACK")),
    }
}
