//! Filters of units as conditions on their table, so that a bulk write stays one statement.
//!
//! What SQL cannot express, a match of the item, is a function of ours that SQLite calls for each unit; it is made known to the
//! connection whenever a filter needs it. Such a filter reads every unit that the others leave over.

use std::panic::AssertUnwindSafe;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::columns::Checked;
use super::connection::{Db, DbConnection, as_sqlite};
use super::failure::Failure;
use super::schema::units;
use super::written::may_stand;
use super::{failures, flagged};
use crate::model::{ItemPattern, JobId, Seq, UnitFilter, UnitId, UnitStatus};

/// How many items are looked at before others are read.
const MATCHED_AT_ONCE: i64 = 1000;

/// The units that a filter selects, as a condition on the table.
pub(super) type Condition = Box<dyn BoxableExpression<units::table, Db, SqlType = Bool>>;

#[diesel::declare_sql_function]
extern "SQL" {
    /// Returns `true` if the item of a payload contains what is looked for.
    fn item_matches(payload: Text) -> Bool;
}

/// Selects the units that are part of what their job's source says: the others are not run again, whatever they are selected by.
pub(super) fn is_current() -> Condition {
    Box::new(units::outdated.is_null())
}

/// Translates a filter; parts that are not set do not restrict.
pub(super) fn condition(conn: &mut DbConnection, job: JobId, filter: &UnitFilter) -> Result<Condition, Failure> {
    // The only bounds of the number that a statement may have: of two lower ones SQLite begins at the one that stands
    // first, and reads all rows up to the other.
    let bound = |seq: Option<Seq>, otherwise: Seq| seq.unwrap_or(otherwise).0.clamp(0, Seq::MAX.0 + 1);
    let zero = UnitId::new(job, Seq(0)).raw();
    let (first, last) = (bound(filter.first, Seq(0)), bound(filter.last, Seq::MAX).min(Seq::MAX.0));
    let mut all: Condition = Box::new(units::id.between(zero + first, zero + last));
    if let Some(literal) = status_literal(&filter.statuses) {
        all = Box::new(all.and(diesel::dsl::sql::<Bool>(&literal)));
    }
    if let Some(key) = &filter.key {
        if !may_stand(conn, key) {
            return Ok(Box::new(diesel::dsl::sql::<Bool>("1 = 0")));
        }
        let of_job = diesel::dsl::sql::<BigInt>("job_id").eq(job.0);
        all = Box::new(all.and(of_job.and(units::key.eq(key.clone()).assume_not_null())));
    }
    if let Some(pattern) = filter.pattern.clone() {
        match as_sqlite(conn) {
            Some(conn) => {
                // A match changes nothing in the pattern, so that a panic leaves nothing half done.
                let matches = AssertUnwindSafe(move |payload: Checked<String>| pattern.matches(payload.shown()));
                item_matches_utils::register_impl(conn, move |payload: Checked<String>| matches(payload))?;
                all = Box::new(all.and(item_matches(units::payload)));
            }
            None => {
                all = Box::new(all.and(diesel::dsl::sql::<Bool>(&matching(conn, zero + first, zero + last, &pattern)?)))
            }
        }
    }
    if let Some(cluster) = filter.cluster {
        failures::provide_kinds(conn, job)?;
        let of_kind = format!(
            "status = 'failed' AND units.id IN (SELECT unit_id FROM failure_kinds WHERE kind = {} AND unit_id BETWEEN {} AND {})",
            cluster.as_number(),
            zero + first,
            zero + last
        );
        all = Box::new(all.and(diesel::dsl::sql::<Bool>(&of_kind)));
    }
    if let Some(group) = &filter.group {
        let of_job = diesel::dsl::sql::<BigInt>("job_id").eq(job.0);
        all = Box::new(all.and(of_job.and(units::grp.eq(group.clone()).assume_not_null())));
    }
    if let Some(current) = filter.current {
        let mark = if current { "outdated IS NULL" } else { "outdated IS NOT NULL" };
        all = Box::new(all.and(diesel::dsl::sql::<Bool>(mark)));
    }
    if let Some(by) = filter.flagged {
        all = Box::new(all.and(diesel::dsl::sql::<Bool>(&flagged::literal(conn, by, zero + first, zero + last)?)));
    }
    Ok(all)
}

/// Returns a condition that names the units of a range whose items match: a server calls no function of ours.
fn matching(conn: &mut DbConnection, first: i64, last: i64, pattern: &ItemPattern) -> Result<String, Failure> {
    let (mut found, mut after) = (Vec::new(), first - 1);
    loop {
        let page =
            units::table.filter(units::id.gt(after).and(units::id.le(last))).order(units::id).limit(MATCHED_AT_ONCE);
        let page: Vec<(i64, Checked<String>)> = page.select((units::id, units::payload)).load(conn)?;
        let Some((through, _)) = page.last() else { break };
        after = *through;
        let ids = page.iter().filter(|(_, payload)| pattern.matches(payload.shown())).map(|(id, _)| id.to_string());
        found.extend(ids);
    }
    Ok(format!("units.id = ANY ('{{{}}}'::bigint[])", found.join(",")))
}

/// Names the states in the text of the statement: a bound value would hide from SQLite that a partial index applies.
fn status_literal(statuses: &[UnitStatus]) -> Option<String> {
    let words: Vec<String> = statuses.iter().map(|status| format!("status = '{status}'")).collect();
    (!words.is_empty()).then(|| format!("({})", words.join(" OR ")))
}
