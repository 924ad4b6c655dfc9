//! Units that are not what the source says any more: their content has changed, they are gone, or they are back.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::connection::DbConnection;
use super::counters::shift;
use super::create::insert_units;
use super::failure::Failure;
use super::filter::condition;
use super::finalizer::retire_finalizer;
use super::jobs::lock_job;
use super::same_key::SameKey;
use super::schema::{unit_notes, units};
use super::statement::statement;
use super::steer::{conclude_again, end_units, reopen};
use super::{Store, StoreError};
use crate::model::{JobId, NewUnit, Outdated, Seq, Timestamp, UnitFilter, UnitId, UnitStatus};

/// Reason of a unit that another one replaces.
const REPLACED: &str = "changed in the source, another unit replaces it";
/// Reason of a unit that had not ended when the source did not have it any more.
pub const GONE: &str = "gone from the source";

statement! {
    struct SkipGone<'a> {
        "UPDATE units SET status = 'skipped', not_before = NULL, revision = revision + 1, error = "
            reason: &'a str as Text,
        ", started_at = NULL, finished_at = " now: i64 as BigInt,
        " WHERE status = 'pending' AND outdated IS NOT NULL AND id = " unit: i64 as BigInt,
    }
    ""
}

impl Store {
    /// Marks the units between the numbers of each pair as gone from the source. Those that are pending are skipped, and so are
    /// failed ones unless they may run at most once; the others keep their state, and one that runs goes on, but is not
    /// tried again.
    pub fn leave_gone(&mut self, job: JobId, ranges: &[(Seq, Seq)], now: Timestamp) -> Result<(), StoreError> {
        self.write("skip units that are gone", |conn| {
            let skipped = lock_job(conn, job)?.limits.skipped_when_gone();
            for range in ranges {
                let units_there = between(*range);
                for &status in skipped {
                    end_units(conn, job, &units_there, status, UnitStatus::Skipped, GONE, now)?;
                }
                mark(conn, job, &units_there, Some(Outdated::Gone))?;
            }
            conclude_again(conn, job, now)
        })
    }

    /// Takes the mark from units that the source has again.
    pub fn welcome_back(&mut self, job: JobId, ranges: &[(Seq, Seq)]) -> Result<(), StoreError> {
        self.write("take units back", |conn| {
            lock_job(conn, job)?;
            ranges.iter().try_for_each(|range| mark(conn, job, &between(*range), None))
        })
    }

    /// Gives units new content, and returns how many of them wait to be run with it; one that runs is left alone.
    ///
    /// A unit that had ended goes back to pending with all its attempts. One that was pending may be on its way to a
    /// worker with its old content: it is skipped, and a new unit takes its key.
    pub fn renew_units(&mut self, job: JobId, new: &[(Seq, NewUnit)], now: Timestamp) -> Result<usize, StoreError> {
        self.write("renew units", |conn| renew_in(conn, job, new, now))
    }
}

/// Renews units inside a transaction; see [`Store::renew_units`].
pub(super) fn renew_in(
    conn: &mut DbConnection,
    job: JobId,
    new: &[(Seq, NewUnit)],
    now: Timestamp,
) -> Result<usize, Failure> {
    lock_job(conn, job)?;
    let mut renewed = 0;
    // Units that leave a state, by its name: counted at once, however many there are.
    let (mut replaced, mut sent_back) = (0, BTreeMap::new());
    for (seq, unit) in new {
        let row = units::table.find(UnitId::new(job, *seq).raw());
        let status: String = row.select(units::status).get_result(conn)?;
        match status.parse() {
            Ok(UnitStatus::Running) | Err(_) => continue,
            Ok(UnitStatus::Pending) => {
                diesel::update(row)
                    .set((
                        units::status.eq(UnitStatus::Skipped.as_str()),
                        units::key.eq(None::<&str>),
                        units::not_before.eq(None::<i64>),
                        units::error.eq(REPLACED),
                        units::outdated.eq(Outdated::Replaced.as_str()),
                        units::started_at.eq(None::<i64>),
                        units::finished_at.eq(now.as_micros()),
                        units::revision.eq(units::revision + 1),
                    ))
                    .execute(conn)?;
                replaced += 1;
                insert_units(conn, job, std::slice::from_ref(unit), SameKey::Refuse)?;
            }
            Ok(ended) => {
                diesel::update(row)
                    .set((
                        units::payload.eq(&unit.payload),
                        units::status.eq(UnitStatus::Pending.as_str()),
                        units::not_before.eq(now.as_micros()),
                        units::attempts.eq(0),
                        units::crashes.eq(0),
                        units::result.eq(None::<&str>),
                        units::error.eq(None::<&str>),
                        units::finished_at.eq(None::<i64>),
                        units::revision.eq(units::revision + 1),
                        units::outdated.eq(None::<&str>),
                    ))
                    .execute(conn)?;
                // What was kept was kept for other content.
                diesel::delete(unit_notes::table.find(UnitId::new(job, *seq).raw())).execute(conn)?;
                sent_back.entry(ended.as_str()).or_insert((ended, 0)).1 += 1;
            }
        }
        renewed += 1;
    }
    shift(conn, job, UnitStatus::Pending, UnitStatus::Skipped, replaced)?;
    for (ended, units) in sent_back.into_values() {
        shift(conn, job, ended, UnitStatus::Pending, units)?;
    }
    if renewed > 0 {
        retire_finalizer(conn, job, now)?;
    }
    reopen(conn, job)?;
    Ok(renewed)
}

/// Skips a unit that is gone from the source and has just been sent back to pending; returns whether it was.
pub(super) fn skip_gone(conn: &mut DbConnection, unit: UnitId, now: Timestamp) -> Result<bool, Failure> {
    let skipped = SkipGone { reason: GONE, now: now.as_micros(), unit: unit.raw() }.execute(conn)?;
    Ok(skipped == 1)
}

fn between((first, last): (Seq, Seq)) -> UnitFilter {
    UnitFilter { first: Some(first), last: Some(last), ..UnitFilter::all() }
}

fn mark(conn: &mut DbConnection, job: JobId, filter: &UnitFilter, outdated: Option<Outdated>) -> Result<(), Failure> {
    diesel::update(units::table.filter(condition(conn, job, filter)?))
        .set(units::outdated.eq(outdated.map(Outdated::as_str)))
        .execute(conn)?;
    Ok(())
}
