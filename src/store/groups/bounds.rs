//! What keeps the units of a group from starting: too many of them have failed, or one has it wait.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::model::{Groups, JobId, UnitFilter, UnitId, UnitStatus, counted};
use crate::store::UnitChange;
use crate::store::connection::DbConnection;
use crate::store::failure::Failure;
use crate::store::schema::unit_groups;
use crate::store::statement::statement;
use crate::store::written::kept;

statement! {
    struct CountFailure {
        "UPDATE unit_groups SET failures = failures + 1, stopped = CASE WHEN failures + 1 >= " most: i64 as BigInt,
        " THEN coalesce(stopped, " why: String as Text,
        ") ELSE stopped END WHERE job_id = " job: i64 as BigInt,
        " AND name = (SELECT grp FROM units WHERE id = " unit: i64 as BigInt,
    }
    ") RETURNING name, failures" -> (Text, BigInt)
}

statement! {
    struct ExtendHold<'a> {
        "UPDATE unit_groups SET hold_until = " until: i64 as BigInt,
        ", hold_reason = " reason: &'a str as Text,
        " WHERE job_id = " job: i64 as BigInt,
        " AND name = (SELECT grp FROM units WHERE id = " unit: i64 as BigInt,
        ") AND coalesce(hold_until, 0) < " limit: i64 as BigInt,
    }
    ""
}

statement! {
    struct ShiftHolds {
        "UPDATE unit_groups SET hold_until = hold_until - " step: i64 as BigInt,
        " WHERE (stopped IS NOT NULL OR hold_until IS NOT NULL) AND job_id = " job: i64 as BigInt,
        " AND hold_until > " now: i64 as BigInt,
    }
    ""
}

statement! {
    struct LiftHolds {
        "UPDATE unit_groups SET hold_reason = NULL, hold_until = " now: i64 as BigInt,
        " WHERE (stopped IS NOT NULL OR hold_until IS NOT NULL) AND job_id = " job: i64 as BigInt,
        " AND hold_until > " after: i64 as BigInt,
    }
    ""
}

/// Records what follows for groups from changes that were made, inside a transaction; returns those of which no more start, each with
/// the reason.
pub(in crate::store) fn note_all(
    conn: &mut DbConnection,
    of_each: &Groups,
    changes: &[UnitChange],
    lost: &[UnitId],
) -> Result<Vec<(String, String)>, Failure> {
    let mut stopped = Vec::new();
    for change in changes.iter().filter(|change| change.end.is_some() && !lost.contains(&change.unit)) {
        stopped.extend(note(conn, of_each, change)?);
    }
    Ok(stopped)
}

/// Records what follows for its group from a change of a unit, inside a transaction; returns the group with the reason when no more of
/// it start.
fn note(conn: &mut DbConnection, groups: &Groups, change: &UnitChange) -> Result<Option<(String, String)>, Failure> {
    let (job, unit) = (change.unit.job().0, change.unit.raw());
    if let Some((until, reason)) = change.group_hold() {
        let until = until.as_micros();
        ExtendHold { until, reason: &kept(conn, reason), job, unit, limit: until }.execute(conn)?;
    }
    let Some(most) = groups.max_failures.filter(|_| change.to == UnitStatus::Failed) else { return Ok(None) };
    let why =
        format!("{} failed since the job's latest start, the limit of each group is {most}", counted(most, "unit"));
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let counted: Option<(String, i64)> =
        CountFailure { most: limit, why: why.clone(), job, unit }.get_result(conn).optional()?;
    Ok(counted.filter(|(_, failures)| *failures >= limit).map(|(name, _)| (name, why)))
}

/// Forgets, when a job starts that was not running, what had stopped its groups.
pub(in crate::store) fn begin_again(conn: &mut DbConnection, job: JobId) -> Result<(), Failure> {
    end_stops(conn, job, &UnitFilter::all())
}

/// Lets groups go on that were stopped: that which a filter names, or all.
pub(in crate::store) fn end_stops(conn: &mut DbConnection, job: JobId, filter: &UnitFilter) -> Result<(), Failure> {
    let counted = unit_groups::table.filter(unit_groups::job_id.eq(job.0)).filter(unit_groups::failures.gt(0));
    let fresh = (unit_groups::failures.eq(0), unit_groups::stopped.eq(None::<&str>));
    match &filter.group {
        Some(group) => diesel::update(counted.filter(unit_groups::name.eq(group))).set(fresh).execute(conn)?,
        None => diesel::update(counted).set(fresh).execute(conn)?,
    };
    Ok(())
}

/// Ends the holds of groups, and returns how many there were. Their managers know it by the reason, which such a hold has no more.
pub(in crate::store) fn lift_holds(conn: &mut DbConnection, job: JobId, now: i64) -> Result<usize, Failure> {
    Ok(LiftHolds { now, job: job.0, after: now }.execute(conn)?)
}

/// Brings the ends of holds forward by a step of the clock.
pub(in crate::store) fn shift(conn: &mut DbConnection, job: JobId, step: i64, now: i64) -> Result<(), Failure> {
    ShiftHolds { step, job: job.0, now }.execute(conn)?;
    Ok(())
}
