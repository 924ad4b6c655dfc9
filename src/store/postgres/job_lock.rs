//! Who may write about a job at the same time: managers record beside each other, and whoever changes the job has it alone.
//!
//! The lock is an advisory one of the transaction, because its queue is fair: whoever wants a job alone comes before those who ask to
//! share it later. Nobody who has it alone is in the way of a record, and no record in the way of him, so that what they lock besides
//! may be locked in any order.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::counters;
use crate::model::JobId;
use crate::store::connection::DbConnection;
use crate::store::failure::Failure;
use crate::store::statement::statement;

statement! {
    struct Alone { "SELECT pg_advisory_xact_lock('jobs'::regclass::oid::integer, " job: i64 as BigInt, } "::integer)::text" -> Text
}

statement! {
    struct Shared { "SELECT pg_advisory_xact_lock_shared('jobs'::regclass::oid::integer, " job: i64 as BigInt, } "::integer)::text" -> Text
}

statement! {
    struct Meters { "SELECT pg_advisory_xact_lock('meters'::regclass::oid::integer, " job: i64 as BigInt, } "::integer)::text" -> Text
}

statement! { struct LockRow { "SELECT id FROM jobs WHERE id = " id: i64 as BigInt, } " FOR UPDATE" -> BigInt }

/// Keeps everybody else from writing about a job until the transaction ends; the counters in its row are all of them then.
pub(in crate::store) fn lock(conn: &mut DbConnection, job: JobId) -> Result<(), Failure> {
    Alone { job: job.0 }.execute(conn)?;
    LockRow { id: job.0 }.execute(conn)?;
    counters::settle(conn, job)
}

/// Keeps everybody from changing a job until the transaction ends, but for what managers record of their own units.
pub(in crate::store) fn share_lock(conn: &mut DbConnection, job: JobId) -> Result<(), Failure> {
    Shared { job: job.0 }.execute(conn)?;
    Ok(())
}

/// Keeps other managers of a job from counting what attempts have cost until the transaction ends: the sums are read and written
/// again. Asked for after the rows of units, by whoever shares the job.
pub(in crate::store) fn lock_meters(conn: &mut DbConnection, job: JobId) -> Result<(), Failure> {
    Meters { job: job.0 }.execute(conn)?;
    Ok(())
}
