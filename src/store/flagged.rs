//! Flags as conditions and columns of statements about units.
//!
//! A flag counts once the attempt that it is of has completed its unit.

use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text};

use super::connection::DbConnection;
use super::failure::Failure;
use super::statement::statement;
use crate::model::Flagged;

/// Flags of the attempts that completed their units.
macro_rules! counting {
    ($what:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $what,
            " FROM flags JOIN units AS flagged ON flagged.id = + flags.unit_id WHERE flagged.status = 'completed' \
             AND flags.attempt = flagged.attempts AND flags.revision = flagged.revision \
             AND (flags.started_at IS NULL OR flags.started_at = flagged.started_at)",
            $rest
        )
    };
}

const ANY: &str = counting!("unit_id", " AND unit_id BETWEEN ");
const UNDECIDED: &str = counting!("unit_id", " AND decision IS NULL AND flagged.outdated IS NULL AND unit_id BETWEEN ");
pub(super) const COUNT: &str =
    counting!("count(*)", " AND decision IS NULL AND flagged.outdated IS NULL AND unit_id BETWEEN ");
const OF_ROW: &str = concat!("(", counting!("text", " AND unit_id = units.id)"));
pub(super) const ONE: &str = counting!("text, decision, decided_by, decided_at, note", " AND unit_id = ");

// A database of an older version has none.
statement! {
    struct AreThere {}
    ["SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'flags')" "SELECT to_regclass('flags') IS NOT NULL"] -> Bool
}

/// Returns `true` if the database can hold flags, as one of an older version that is only read cannot.
pub(super) fn are_there(conn: &mut DbConnection) -> Result<bool, Failure> {
    Ok(AreThere {}.get_result(conn)?)
}

/// Returns a condition on `units` by their flags, within a range of rows.
pub(super) fn literal(conn: &mut DbConnection, flagged: Flagged, first: i64, last: i64) -> Result<String, Failure> {
    let is_in = flagged != Flagged::NotUndecided;
    if !are_there(conn)? {
        return Ok(if is_in { "1 = 0" } else { "1 = 1" }.to_owned());
    }
    Ok(match flagged {
        Flagged::Any => format!("units.id IN ({ANY}{first} AND {last})"),
        Flagged::Undecided => format!("units.id IN ({UNDECIDED}{first} AND {last})"),
        Flagged::NotUndecided => format!("units.id NOT IN ({UNDECIDED}{first} AND {last})"),
    })
}

/// The doubt about a unit as one of its columns, for whoever reads many; that of those whose attempt completed.
pub(super) fn column(conn: &mut DbConnection) -> Result<SqlLiteral<Nullable<Text>>, Failure> {
    Ok(diesel::dsl::sql(if are_there(conn)? { OF_ROW } else { "NULL" }))
}
