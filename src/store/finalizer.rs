//! The unit that a job ends with, which is to run once more when others have come before it after all.

use diesel::prelude::*;

use super::columns::Word;
use super::connection::DbConnection;
use super::counters::shift;
use super::failure::Failure;
use super::filter::Condition;
use super::schema::units;
use super::{Store, StoreError};
use crate::model::{JobId, Progress, Timestamp, Unit, UnitId, UnitStatus};

/// Kinds of units that are no items of their jobs: the one that a job ends with, and those it ended with before others came.
const FINALIZER: &str = "finalizer";
const RETIRED: &str = "retired";
/// Reason of a last unit that was not needed any more.
const NOT_NEEDED: &str = "other units come before the last one, which runs after them";

impl Store {
    /// Returns `true` if the unit that the job ends with is there already.
    pub fn has_finalizer(&mut self, job: JobId) -> Result<bool, StoreError> {
        self.read("look for the last unit", |conn| {
            Ok(units::table
                .filter(of(job))
                .filter(is_finalizer())
                .select(units::id)
                .first::<i64>(conn)
                .optional()?
                .is_some())
        })
    }
}

/// Selects the units that are items of their jobs.
pub(super) fn is_other() -> Condition {
    Box::new(units::kind.is_null())
}

/// Selects the present last unit.
pub(super) fn is_finalizer() -> Condition {
    Box::new(units::kind.eq(FINALIZER).assume_not_null())
}

/// Returns `true` if a unit is, or was, one that its job ends with.
pub(super) fn is_last(conn: &mut DbConnection, unit: UnitId) -> Result<bool, Failure> {
    let kind: Option<Option<String>> = units::table.find(unit.raw()).select(units::kind).first(conn).optional()?;
    Ok(kind.flatten().is_some())
}

/// Selects the units of a job by their numbers, which order the index of units of a kind.
fn of(job: JobId) -> Condition {
    let [first, last] = UnitId::ends_of(job);
    Box::new(units::id.between(first, last))
}

/// Makes the unit that was just added by that key the one that the job ends with.
pub(super) fn mark_finalizer(conn: &mut DbConnection, job: JobId) -> Result<(), Failure> {
    let named = units::table.filter(units::job_id.eq(job.0)).filter(units::key.eq(Unit::FINALIZER_KEY));
    diesel::update(named).set(units::kind.eq(FINALIZER)).execute(conn)?;
    Ok(())
}

/// Takes the name of the job's last unit away, so that another one is made when the units that were just added or sent back
/// have ended. One that runs goes on beside them; one that has not completed is skipped.
pub(super) fn retire_finalizer(conn: &mut DbConnection, job: JobId, now: Timestamp) -> Result<(), Failure> {
    let present = units::table.filter(of(job)).filter(is_finalizer()).select((units::id, units::status));
    let found: Option<(i64, Word<UnitStatus>)> = present.first(conn).optional()?;
    let Some((id, Word(status))) = found else { return Ok(()) };
    let seq = UnitId::from_raw(id).seq();
    let key = format!("{}:{seq}", Unit::FINALIZER_KEY);
    diesel::update(units::table.find(id)).set((units::kind.eq(RETIRED), units::key.eq(key))).execute(conn)?;
    match status {
        UnitStatus::Pending | UnitStatus::Failed | UnitStatus::Cancelled => skip(conn, job, id, status, now),
        UnitStatus::Running | UnitStatus::Completed | UnitStatus::Skipped => Ok(()),
    }
}

/// Skips former last units that have failed since they were retired: the job's end does not depend on them.
pub(super) fn skip_retired(conn: &mut DbConnection, job: JobId, now: Timestamp) -> Result<(), Failure> {
    let former = units::table
        .filter(of(job))
        .filter(units::kind.eq(RETIRED))
        .filter(units::status.eq_any([UnitStatus::Failed.as_str(), UnitStatus::Cancelled.as_str()]));
    for (id, Word(status)) in former.select((units::id, units::status)).load::<(i64, Word<UnitStatus>)>(conn)? {
        skip(conn, job, id, status, now)?;
    }
    Ok(())
}

fn skip(conn: &mut DbConnection, job: JobId, id: i64, from: UnitStatus, now: Timestamp) -> Result<(), Failure> {
    diesel::update(units::table.find(id))
        .set((
            units::status.eq(UnitStatus::Skipped.as_str()),
            units::not_before.eq(None::<i64>),
            units::error.eq(NOT_NEEDED),
            units::started_at.eq(None::<i64>),
            units::finished_at.eq(now.as_micros()),
            units::revision.eq(units::revision + 1),
        ))
        .execute(conn)?;
    shift(conn, job, from, UnitStatus::Skipped, 1)?;
    Ok(())
}

/// Returns the counts of a job without its former last units.
pub(super) fn without_finalizers(
    conn: &mut DbConnection,
    job: JobId,
    mut progress: Progress,
) -> Result<Progress, Failure> {
    let former = units::table.filter(of(job)).filter(units::kind.is_not_null());
    for Word(status) in former.select(units::status).load::<Word<UnitStatus>>(conn)? {
        progress.total -= 1;
        let count = match status {
            UnitStatus::Pending => &mut progress.pending,
            UnitStatus::Running => &mut progress.running,
            UnitStatus::Completed => &mut progress.completed,
            UnitStatus::Failed => &mut progress.failed,
            UnitStatus::Skipped => &mut progress.skipped,
            UnitStatus::Cancelled => &mut progress.cancelled,
        };
        *count -= 1;
    }
    Ok(progress)
}
