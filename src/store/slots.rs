//! The worker slot of an attempt, as units and attempts have it; databases of older schemas that are only read have none.

use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};

use super::connection::DbConnection;
use super::failure::Failure;
use super::open::UserVersion;

/// The first schema that keeps it.
const FIRST_SCHEMA: i32 = 15;

/// Returns `true` if the database keeps it.
pub(super) fn are_kept(conn: &mut DbConnection) -> Result<bool, Failure> {
    let schema: i32 = UserVersion {}.get_result(conn)?;
    Ok(schema >= FIRST_SCHEMA)
}

/// The slot as a column of the rows of one of the two tables.
pub(super) fn column(conn: &mut DbConnection) -> Result<SqlLiteral<Nullable<BigInt>>, Failure> {
    Ok(diesel::dsl::sql(if are_kept(conn)? { "slot" } else { "NULL" }))
}

/// Returns the slot of a column; another tool may have written what is none.
pub(super) fn known(column: Option<i64>) -> Option<u32> {
    column.and_then(|slot| u32::try_from(slot).ok()).filter(|slot| *slot > 0)
}
