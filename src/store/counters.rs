//! Counters of a job, which move in the transaction that changes its units.

use diesel::prelude::*;

use super::connection::DbConnection;
use super::failure::Failure;
use crate::model::{JobId, UnitStatus};

/// Moves `changed` units from one counter to another.
pub(super) fn shift(
    conn: &mut DbConnection,
    job: JobId,
    from: UnitStatus,
    to: UnitStatus,
    changed: usize,
) -> Result<i64, Failure> {
    let moved = i64::try_from(changed).expect("SQLite counts in 64 bits");
    let set = format!("{from} = {from} - {moved}, {to} = {to} + {moved}, revision = revision + 1");
    let sql = format!("UPDATE jobs SET {set} WHERE id = {job}");
    diesel::sql_query(sql).execute(conn)?;
    Ok(moved)
}
