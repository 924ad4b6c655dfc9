//! What clients write: changes to units that no manager is working on.
//!
//! A client never touches a running unit. It may move units between pending and the ends, because a manager's own
//! writes name the state and the revision that they expect and hit nothing when a client was faster. Every change of a
//! unit here raises its revision. One that ends here while it waits took no time: its last attempt keeps when it began.

use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::connection::{DbConnection, on_server};
use super::counters::shift;
use super::failure::Failure;
use super::filter::{Condition, condition, is_current};
use super::finalizer;
use super::jobs::lock_job;
use super::schema::{jobs, units};
use super::statement::statement;
use super::written::kept;
use super::{Store, StoreError, groups, postgres};
use crate::model::{JobId, JobStatus, StopRequest, Timestamp, UnitFilter, UnitId, UnitStatus};

statement! {
    struct CancelUnfinished<'a> {
        // Of one that was under way the time is not over before this.
        ["UPDATE units SET status = 'cancelled', started_at = CASE WHEN status = 'running' THEN started_at END, finished_at = max("
         "UPDATE units SET status = 'cancelled', started_at = CASE WHEN status = 'running' THEN started_at END, finished_at = greatest("]
            now: i64 as BigInt,
        ", coalesce(started_at, 0)), revision = revision + 1, not_before = NULL, error = " reason: &'a str as Text,
        " WHERE status IN ('pending', 'running') AND id BETWEEN " first: i64 as BigInt,
        " AND " last: i64 as BigInt,
    }
    ""
}

statement! {
    struct Recount {
        "UPDATE jobs SET running = 0, pending = 0, cancelled = cancelled + "
            moved: i64 as BigInt,
        " WHERE id = " job: i64 as BigInt,
    }
    ""
}

impl Store {
    /// Sends units that failed or were cancelled back to pending with all their attempts, and returns how many there
    /// were; skipped ones only when the filter names them. Pending ones that wait for a later time are due at once when it names them.
    ///
    /// A job that had ended becomes paused, and its last unit runs again after them; that one is itself retried when the
    /// filter selects no other. Calling it twice changes nothing the second time.
    pub fn retry_units(&mut self, job: JobId, filter: &UnitFilter, now: Timestamp) -> Result<i64, StoreError> {
        self.write("retry units", |conn| {
            let row = lock_job(conn, job)?;
            let mut moved = send_back(conn, job, filter, finalizer::is_other, now)?;
            if moved > 0 {
                finalizer::retire_finalizer(conn, job, now)?;
            } else {
                moved = send_back(conn, job, filter, finalizer::is_finalizer, now)?;
            }
            let called = call_back(conn, job, filter, finalizer::is_other, now)?
                + call_back(conn, job, filter, finalizer::is_finalizer, now)?;
            if moved + called > 0 && row.limits.groups.is_some() {
                groups::end_stops(conn, job, filter)?;
            }
            if moved + called > 0 {
                reopen(conn, job)?;
            }
            Ok(moved + called)
        })
    }

    /// Cancels the pending units that a filter selects, and returns how many there were.
    pub fn cancel_pending_units(
        &mut self,
        job: JobId,
        filter: &UnitFilter,
        reason: &str,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        self.write("cancel units", |conn| {
            lock_job(conn, job)?;
            end_units(conn, job, filter, UnitStatus::Pending, UnitStatus::Cancelled, reason, now)
        })
    }

    /// Skips the pending and failed units that a filter selects, cancelled ones only when it names them, and returns
    /// how many there were.
    ///
    /// A job that had ended may end otherwise by that: without its failed units it is completed. A unit that runs is left
    /// alone. Calling it twice changes nothing the second time.
    pub fn skip_units(
        &mut self,
        job: JobId,
        filter: &UnitFilter,
        reason: &str,
        now: Timestamp,
    ) -> Result<i64, StoreError> {
        self.write("skip units", |conn| {
            lock_job(conn, job)?;
            let mut moved = 0;
            for status in skipped(filter) {
                moved += end_units(conn, job, filter, status, UnitStatus::Skipped, reason, now)?;
            }
            conclude_again(conn, job, now)?;
            Ok(moved)
        })
    }

    /// Cancels a job that has no manager, with every unit that has not ended.
    ///
    /// The caller holds the job's lock, so that no manager can begin meanwhile.
    pub fn cancel_idle_job(&mut self, job: JobId, reason: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write("cancel the job", |conn| cancel_idle(conn, job, reason, now))
    }
}

/// Cancels a job that has no manager inside a transaction; see [`Store::cancel_idle_job`].
pub(super) fn cancel_idle(conn: &mut DbConnection, job: JobId, reason: &str, now: Timestamp) -> Result<(), Failure> {
    let row = lock_job(conn, job)?;
    if on_server(conn) && postgres::is_held(conn, job)? {
        return Err(StoreError::ManagedElsewhere { job }.into());
    }
    if row.status.is_terminal() || !row.status.can_become(JobStatus::Cancelled) {
        return Err(StoreError::WrongStatus { operation: "cancel", job, status: row.status }.into());
    }
    cancel_unfinished(conn, job, reason, now)?;
    set_status(conn, job, JobStatus::Cancelled, Some(now))
}

impl Store {
    /// Lets units of a job, and of its groups, start again before the time that one of them asked for; returns `false` if none had.
    pub fn lift_hold(&mut self, job: JobId, now: Timestamp) -> Result<bool, StoreError> {
        self.write("lift the hold of the job", |conn| {
            let row = lock_job(conn, job)?;
            let of_groups = row.limits.groups.is_some() && groups::lift_holds(conn, job, now.as_micros())? > 0;
            let had_hold = of_groups || row.hold.is_some_and(|hold| hold.until > now);
            let none = (jobs::hold_until.eq(None::<i64>), jobs::hold_reason.eq(None::<&str>));
            diesel::update(jobs::table.find(job.0)).set((none, jobs::revision.eq(jobs::revision + 1))).execute(conn)?;
            Ok(had_hold)
        })
    }
}

/// Makes pending units due that a filter and another condition select and that wait for a later time, if the filter names them; their
/// attempts stay counted.
fn call_back(
    conn: &mut DbConnection,
    job: JobId,
    filter: &UnitFilter,
    among: impl Fn() -> Condition,
    now: Timestamp,
) -> Result<i64, Failure> {
    if !filter.statuses.contains(&UnitStatus::Pending) {
        return Ok(0);
    }
    let waiting = units::table
        .filter(literal(UnitStatus::Pending))
        .filter(units::not_before.gt(now.as_micros()).assume_not_null())
        .filter(condition(conn, job, filter)?)
        .filter(among())
        .filter(is_current());
    let due = (units::not_before.eq(now.as_micros()), units::revision.eq(units::revision + 1));
    let called = diesel::update(waiting).set(due).execute(conn)?;
    if called > 0 {
        // Its manager is to look for them.
        diesel::update(jobs::table.find(job.0)).set(jobs::revision.eq(jobs::revision + 1)).execute(conn)?;
    }
    Ok(i64::try_from(called).expect("SQLite counts in 64 bits"))
}

/// Sends ended units back to pending that a filter and another condition select, and counts them.
pub(super) fn send_back(
    conn: &mut DbConnection,
    job: JobId,
    filter: &UnitFilter,
    among: impl Fn() -> Condition,
    now: Timestamp,
) -> Result<i64, Failure> {
    let mut moved = 0;
    for status in retried(filter) {
        let selected = units::table
            .filter(literal(status))
            .filter(condition(conn, job, filter)?)
            .filter(among())
            .filter(is_current());
        let changed = diesel::update(selected)
            .set((
                units::status.eq(UnitStatus::Pending.as_str()),
                units::not_before.eq(now.as_micros()),
                units::attempts.eq(0),
                units::crashes.eq(0),
                units::result.eq(None::<&str>),
                units::finished_at.eq(None::<i64>),
                units::revision.eq(units::revision + 1),
            ))
            .execute(conn)?;
        moved += shift(conn, job, status, UnitStatus::Pending, changed)?;
    }
    Ok(moved)
}

/// Selects the units in one state: in the text of the statement, because a bound value would hide from SQLite that a
/// partial index applies.
pub(super) fn literal(status: UnitStatus) -> SqlLiteral<Bool> {
    diesel::dsl::sql(&format!("status = '{status}'"))
}

/// Returns the states that a retry under this filter is about, in the order of their names: that in which totals are added to.
pub(super) fn retried(filter: &UnitFilter) -> impl Iterator<Item = UnitStatus> {
    let skipped = filter.statuses.contains(&UnitStatus::Skipped).then_some(UnitStatus::Skipped);
    [UnitStatus::Cancelled, UnitStatus::Failed].into_iter().chain(skipped)
}

/// Returns the states that a skip under this filter is about, in the order of their names.
fn skipped(filter: &UnitFilter) -> impl Iterator<Item = UnitStatus> {
    let cancelled = filter.statuses.contains(&UnitStatus::Cancelled).then_some(UnitStatus::Cancelled);
    cancelled.into_iter().chain([UnitStatus::Failed, UnitStatus::Pending])
}

/// Ends the units in one state that a filter selects, and counts them.
pub(super) fn end_units(
    conn: &mut DbConnection,
    job: JobId,
    filter: &UnitFilter,
    from: UnitStatus,
    end: UnitStatus,
    reason: &str,
    now: Timestamp,
) -> Result<i64, Failure> {
    let reason = kept(conn, reason);
    let changed = diesel::update(units::table.filter(literal(from)).filter(condition(conn, job, filter)?))
        .set((
            units::status.eq(end.as_str()),
            units::not_before.eq(None::<i64>),
            units::error.eq(reason),
            units::started_at.eq(None::<i64>),
            units::finished_at.eq(now.as_micros()),
            units::revision.eq(units::revision + 1),
        ))
        .execute(conn)?;
    shift(conn, job, from, end, changed)
}

/// Gives a job that had ended the final state that its units call for now.
pub(super) fn conclude_again(conn: &mut DbConnection, job: JobId, now: Timestamp) -> Result<(), Failure> {
    let row = lock_job(conn, job)?;
    let status = row.progress.final_status();
    let has_ended = row.status.is_terminal() && row.progress.unfinished() == 0;
    // One that was cancelled before it began stays so: nothing of it was ever done.
    if has_ended && row.started_at.is_some() && row.status.can_become(status) {
        set_status(conn, job, status, Some(now))?;
    }
    Ok(())
}

/// Cancels all units of a job that have not ended, and counts them.
pub(super) fn cancel_unfinished(
    conn: &mut DbConnection,
    job: JobId,
    reason: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let [first, last] = UnitId::ends_of(job);
    let moved = CancelUnfinished { now: now.as_micros(), reason: &kept(conn, reason), first, last }.execute(conn)?;
    Recount { moved: i64::try_from(moved).expect("SQLite counts in 64 bits"), job: job.0 }.execute(conn)?;
    Ok(())
}

/// Makes a job that had ended paused when it has something to do again; one that is being cancelled gets nothing to do.
pub(super) fn reopen(conn: &mut DbConnection, job: JobId) -> Result<(), Failure> {
    let row = lock_job(conn, job)?;
    if row.stop_request == Some(StopRequest::Cancel) {
        return Err(StoreError::Cancelling(job).into());
    }
    if row.status.is_terminal() && row.progress.unfinished() > 0 {
        set_status(conn, job, JobStatus::Paused, None)?;
    }
    Ok(())
}

fn set_status(
    conn: &mut DbConnection,
    job: JobId,
    status: JobStatus,
    finished_at: Option<Timestamp>,
) -> Result<(), Failure> {
    // A clock that was set back ends nothing before its start.
    let row = jobs::table.find(job.0);
    let started_at: Option<i64> = row.select(jobs::started_at).first(conn)?;
    diesel::update(row)
        .set((
            jobs::status.eq(status.as_str()),
            jobs::finished_at.eq(finished_at.map(|at| at.as_micros().max(started_at.unwrap_or(0)))),
            jobs::stop_request.eq(None::<&str>),
            jobs::stop_grace_ms.eq(None::<i64>),
            jobs::stop_reason.eq(None::<&str>),
        ))
        .execute(conn)?;
    super::metadata::forget_pause(conn, job)
}
