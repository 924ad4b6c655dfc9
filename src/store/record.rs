//! The write path of a manager: many changes of units, their counters and a heartbeat in one transaction.

mod batch;

use std::borrow::Cow;
#[cfg(feature = "postgres")]
use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

pub use super::change::UnitChange;
use super::connection::{DbConnection, on_server};
use super::counters::Counters;
use super::failure::Failure;
use super::flags::{self, FlaggedAttempt};
pub use super::groups::GroupRefused;
use super::jobs::lock_job;
use super::meters;
pub use super::meters::{MeterRefused, Settled};
use super::renew::skip_gone;
use super::statement::statement;
use super::tallies::add_tally;
use super::written::{column, kept};
use super::{Lease, Store, StoreError, attempts, failures, fence, groups, manager_writes, metadata, notes, postgres};
use crate::crash::crash_point;
use crate::model::{AttemptEnd, Seq, Timestamp, UnitStatus};
pub use batch::{Batch, Recorded};

statement! {
    pub(super) struct StartUnit {
        "UPDATE units SET status = 'running', not_before = NULL, attempts = "
            attempts: i64 as BigInt,
        ", started_at = " started_at: Option<i64> as Nullable<BigInt>,
        ", slot = " slot: Option<i64> as Nullable<BigInt>,
        " WHERE status = 'pending' AND id = " id: i64 as BigInt,
        " AND attempts = " seen_attempts: i64 as BigInt,
        " AND revision = " revision: i64 as BigInt,
    }
    ""
}

statement! {
    pub(super) struct MoveUnit<'a> {
        "UPDATE units SET status = "
            to: &'a str as Text,
        ", attempts = " attempts: i64 as BigInt,
        ", crashes = " crashes: i64 as BigInt,
        ", not_before = " not_before: Option<i64> as Nullable<BigInt>,
        ", started_at = coalesce(" started_at: Option<i64> as Nullable<BigInt>,
        ", started_at), slot = coalesce(" slot: Option<i64> as Nullable<BigInt>,
        [", slot), finished_at = max("
         ", slot), finished_at = (SELECT greatest(at, coalesce(started_at, 0)) FROM (SELECT "] finished_at: Option<i64> as Nullable<BigInt>,
        // A clock that was set back ends nothing before its start.
        [", coalesce(started_at, 0)), exit_code = " " AS at) AS given WHERE at IS NOT NULL), exit_code = "] exit_code: Option<i64> as Nullable<BigInt>,
        ", signal = " signal: Option<i64> as Nullable<BigInt>,
        ", error = " error: Option<&'a str> as Nullable<Text>,
        ", result = CASE " ended_as: &'a str as Text,
        " WHEN 'completed' THEN coalesce(" result: Option<&'a str> as Nullable<Text>,
        ", result) WHEN 'running' THEN result END, stdout = " stdout: Option<&'a str> as Nullable<Text>,
        ", stderr = " stderr: Option<&'a str> as Nullable<Text>,
        " WHERE id = " id: i64 as BigInt,
        " AND status = " from: &'a str as Text,
        " AND attempts = " seen_attempts: i64 as BigInt,
        " AND revision = " revision: i64 as BigInt,
    }
    ""
}

statement! {
    struct ExtendHold<'a> {
        "UPDATE jobs SET hold_until = "
            until: i64 as BigInt,
        ", hold_reason = " reason: &'a str as Text,
        " WHERE id = " job: i64 as BigInt,
        " AND coalesce(hold_until, 0) < " limit: i64 as BigInt,
    }
    ""
}

impl Store {
    /// Records changes of units with their counters; durable when it returns.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when a later manager has taken over, [`StoreError::WrongStatus`] when the job does not run any more: nothing
    /// was written.
    pub fn record(&mut self, lease: Lease, batch: &Batch<'_>) -> Result<Recorded, StoreError> {
        let mut renewing = self.renewing();
        let recorded = self.write("record the progress of units", |conn| {
            let mut recorded = Recorded::default();
            // Managers of a job on a server record at the same time, each in a row of its own.
            let has_own_row = on_server(conn) && !lease.manager.is_nil();
            if has_own_row {
                postgres::share_lock(conn, lease.job)?;
            } else if on_server(conn) {
                lock_job(conn, lease.job)?;
            }
            let mut counters = Counters::default();
            let changes = match batch.is_late && on_server(conn) {
                true => Cow::Owned(own_of(conn, lease, batch.changes, &mut recorded)?),
                false => Cow::Borrowed(batch.changes),
            };
            apply_all(conn, lease, &changes, &mut counters, &mut recorded)?;
            if let Some(of_each) = batch.groups {
                recorded.stopped_groups = groups::note_all(conn, of_each, &changes, &recorded.lost)?;
            }
            crash_point!("inside-commit");
            if has_own_row && (!batch.spends.is_empty() || changes.iter().any(UnitChange::is_metered)) {
                postgres::lock_meters(conn, lease.job)?;
            }
            for (unit, amounts) in batch.spends {
                if meters::say(conn, *unit, amounts)?.is_some() {
                    recorded.lost.push(*unit);
                }
            }
            if !batch.meters.is_empty() {
                recorded.settled = meters::settle(conn, lease.job, batch.meters, changes.iter())?;
            }
            for (unit, revision, said) in batch.notes {
                if !notes::put(conn, *unit, *revision, said)? {
                    recorded.lost.push(*unit);
                }
            }
            if let Some(heartbeat) = batch.heartbeat {
                manager_writes::beat(conn, lease, heartbeat)?;
                metadata::put_waits(conn, lease.job, heartbeat.waits.as_ref())?;
                if let Some(adapted) = &heartbeat.adapted {
                    manager_writes::put_adapted(conn, lease, adapted)?;
                }
            }
            if let Some(resources) = batch.resources {
                manager_writes::add_resources(conn, lease, resources)?;
            }
            if let Some(tally) = batch.tally {
                add_tally(conn, lease, tally)?;
            }
            // The fence, last.
            if has_own_row {
                recorded.failures = Some(fence::count(conn, lease, &counters, &mut renewing)?);
                return Ok(recorded);
            }
            let claimed_through = batch.rests.first().map_or(Seq(0), |rest| rest.after);
            if counters.update(lease, claimed_through).execute(conn)? == 0 {
                return Err(lease.fenced().into());
            }
            Ok(recorded)
        });
        let recorded = self.or_left(lease, recorded)?;
        renewing.succeed();
        Ok(recorded)
    }
}

/// Returns the changes of units that are not another manager's.
fn own_of(
    conn: &mut DbConnection,
    lease: Lease,
    changes: &[UnitChange],
    recorded: &mut Recorded,
) -> Result<Vec<UnitChange>, Failure> {
    let mut own = Vec::new();
    for change in changes {
        match postgres::is_of_another(conn, lease, change.unit.seq())? {
            true => recorded.lost.push(change.unit),
            false => own.push(change.clone()),
        }
    }
    Ok(own)
}

fn apply_all(
    conn: &mut DbConnection,
    lease: Lease,
    changes: &[UnitChange],
    counters: &mut Counters,
    recorded: &mut Recorded,
) -> Result<(), Failure> {
    #[cfg(feature = "postgres")]
    if on_server(conn) {
        for wave in postgres::waves(changes) {
            let changed: HashSet<_> = postgres::apply(conn, &wave)?.into_iter().collect();
            for postgres::Move { from, change, .. } in wave {
                match changed.contains(&change.unit) {
                    true => follow(conn, lease, from, change, counters)?,
                    false => recorded.lost.push(change.unit),
                }
            }
        }
        return Ok(());
    }
    for change in changes {
        match apply(conn, change)? {
            true => follow(conn, lease, change.from, change, counters)?,
            false => recorded.lost.push(change.unit),
        }
    }
    Ok(())
}

/// Records what follows from a row that has changed.
fn follow(
    conn: &mut DbConnection,
    lease: Lease,
    from: UnitStatus,
    change: &UnitChange,
    counters: &mut Counters,
) -> Result<(), Failure> {
    counters.shift(from, came_to(conn, change)?);
    attempts::insert(conn, change)?;
    if let Some(doubt) =
        change.end.as_ref().and_then(|end| end.flag.as_deref()).filter(|_| change.to == UnitStatus::Completed)
    {
        let (number, revision, started_at) = (change.attempt(), change.revision, change.started_at);
        flags::put(conn, change.unit, FlaggedAttempt { number, revision, started_at }, doubt)?;
    }
    if change.to == UnitStatus::Failed {
        failures::keep_kind(conn, change)?;
    }
    if let Some((until, reason)) = change.hold() {
        extend_hold(conn, lease, until, reason)?;
    }
    Ok(())
}

/// Returns the state that a changed unit is in: one that would run again is skipped if it is gone from the source.
fn came_to(conn: &mut DbConnection, change: &UnitChange) -> Result<UnitStatus, Failure> {
    match (change.to, change.ended_at) {
        (UnitStatus::Pending, Some(ended_at)) if skip_gone(conn, change.unit, ended_at)? => Ok(UnitStatus::Skipped),
        _ => Ok(change.to),
    }
}

/// Changes one row; false when it was not in the expected state.
fn apply(conn: &mut DbConnection, change: &UnitChange) -> Result<bool, Failure> {
    let (started_at, slot) = (change.started_at.map(Timestamp::as_micros), change.slot.map(i64::from));
    let changed = match &change.end {
        None => StartUnit {
            attempts: change.attempts.into(),
            started_at,
            slot,
            id: change.unit.raw(),
            seen_attempts: change.seen_attempts.into(),
            revision: change.revision,
        }
        .execute(conn)?,
        Some(AttemptEnd { outcome, exit_code, signal, output, metered: _, flag: _, resources: _ }) => MoveUnit {
            to: change.to.as_str(),
            attempts: change.attempts.into(),
            crashes: change.crashes.into(),
            not_before: change.not_before.map(Timestamp::as_micros),
            started_at,
            slot,
            finished_at: change.ended_at.filter(|_| change.to.is_terminal()).map(Timestamp::as_micros),
            exit_code: exit_code.map(i64::from),
            signal: signal.map(i64::from),
            error: outcome.error(),
            ended_as: change.to.as_str(),
            result: outcome.result(),
            stdout: column(output.stdout.as_ref()).as_deref(),
            stderr: column(output.stderr.as_ref()).as_deref(),
            id: change.unit.raw(),
            from: change.from.as_str(),
            seen_attempts: change.seen_attempts.into(),
            revision: change.revision,
        }
        .execute(conn)?,
    };
    Ok(changed == 1)
}

/// Moves the end of the job's hold to a later time, never to an earlier one.
fn extend_hold(conn: &mut DbConnection, lease: Lease, until: Timestamp, reason: &str) -> Result<(), Failure> {
    let until = until.as_micros();
    ExtendHold { until, reason: &kept(conn, reason), job: lease.job.0, limit: until }.execute(conn)?;
    Ok(())
}
