//! What attempts cost: sums of a job, and of each of its units, which change in the transaction of the end or of the word.
//!
//! Invariant: what a meter has counted is the sum of what its units have. Every attempt counts, however it ends and whatever clients have done
//! to its unit meanwhile; one of unknown cost counts as what an attempt usually costs, and is counted as such. Jobs without meters
//! have no row here, and no statement is run for them.

mod refused;
mod rows;
mod settle;

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::columns::{Checked, Json};
use super::connection::DbConnection;
use super::failure::Failure;
use super::finalizer::is_last;
use super::groups::add_groups;
use super::jobs::lock_visible;
use super::notes::expect_attempt;
use super::schema::jobs;
use super::statement::statement;
use super::{Lease, Store, StoreError};
pub use refused::MeterRefused;
pub(super) use rows::spending;
use rows::{json, known, put, row_of};
pub use settle::Settled;
pub(super) use settle::settle;

use crate::model::{Amount, AttemptName, JobId, Limits, Meter, Spending, Timestamp, UnitDetail, UnitId, UnitSpends};

statement! {
    struct SpendsOf {
        ["SELECT unit_id, name, amount FROM spends WHERE unit_id IN (SELECT value FROM json_each("
         "SELECT unit_id, name, amount FROM spends WHERE unit_id IN (SELECT value::bigint FROM json_array_elements_text(("]
            units: String as Text,
    }
    ["))" ")::json))"] -> (BigInt, Text, BigInt)
}

statement! {
    struct SaySpend<'a> {
        "INSERT INTO spends (unit_id, name, amount, under_way) VALUES (" unit: i64 as BigInt,
        ", " name: &'a str as Text,
        ", " amount: i64 as BigInt,
        ", " under_way: i64 as BigInt,
    }
    ") ON CONFLICT (unit_id, name) DO UPDATE SET amount = spends.amount + excluded.amount, \
     under_way = coalesce(spends.under_way, 0) + excluded.under_way"
}

impl Store {
    /// Returns what the meters of a job have counted, those that have.
    pub fn spending(&mut self, job: JobId) -> Result<Vec<Spending>, StoreError> {
        self.read("read what the job has spent", |conn| spending(conn, job))
    }

    /// Adds what the command of an attempt says that it has spent; durable when it returns.
    ///
    /// # Errors
    /// [`StoreError::AttemptOver`] when that attempt is not under way, [`MeterRefused::NoMeter`] when its job does not count that,
    /// [`MeterRefused::LastUnit`] when it is the unit that its job ends with, and [`MeterRefused::SpentTooMuch`] when the sum can be counted no more.
    pub fn spend(
        &mut self,
        unit: UnitId,
        attempt: AttemptName,
        amounts: &[(String, Amount)],
    ) -> Result<(), StoreError> {
        self.write("note what the unit spends", |conn| {
            // Whether there is one is asked with the attempt.
            lock_visible(conn, unit.job())?;
            let (job, _) = expect_attempt(conn, unit, attempt)?;
            // Nothing would settle it, and no budget bounds that unit.
            if is_last(conn, unit)? {
                return Err(StoreError::from(MeterRefused::LastUnit { job: job.id }).into());
            }
            let is_known = |name: &str| job.limits.meters.iter().any(|meter| meter.name == name);
            if let Some((name, _)) = amounts.iter().find(|(name, _)| !is_known(name)) {
                let known = job.limits.meters.iter().map(|meter| meter.name.clone()).collect();
                return Err(StoreError::from(MeterRefused::NoMeter { job: job.id, name: name.clone(), known }).into());
            }
            let lacks_room = say(conn, unit, amounts)?;
            lacks_room
                .map_or(Ok(()), |name| Err(StoreError::from(MeterRefused::SpentTooMuch { job: job.id, name }).into()))
        })
    }

    /// Says that the day of budgets by the day has begun at that time, for the meters of those names; what was spent before counts for
    /// it no more. A day that has begun already stays as it is.
    pub fn begin_day(&mut self, lease: Lease, starts: &[(String, Timestamp)]) -> Result<(), StoreError> {
        self.write_under(lease, "begin a day of the budget", |conn, job| {
            let mut rows = spending(conn, job.id)?;
            for (name, start) in starts {
                let row = row_of(&mut rows, name);
                if row.day_start < *start {
                    (row.day_start, row.before_day) = (*start, row.spent);
                    put(conn, job.id, row)?;
                }
            }
            Ok(())
        })
    }
}

/// Adds to some units of a job, inside a transaction, what they have cost and their groups.
pub(super) fn complete(conn: &mut DbConnection, job: JobId, units: &mut [UnitDetail]) -> Result<(), Failure> {
    // A database of an older version has no such table, and no job with meters.
    let limits = jobs::table.find(job.0).select(jobs::limits);
    let limits: Option<Checked<Json<Limits>>> = if units.is_empty() { None } else { limits.first(conn).optional()? };
    // What cannot be read is named where the job is shown.
    if limits.as_ref().and_then(|limits| limits.known()).is_some_and(|Json(limits)| limits.groups.is_some()) {
        add_groups(conn, job, units)?;
    }
    let meters = limits.as_ref().and_then(|limits| limits.known()).map_or(&[][..], |Json(limits)| &limits.meters);
    if meters.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = units.iter().map(|unit| UnitId::new(job, unit.seq).raw()).collect();
    let rows = spends_of(conn, &ids)?;
    let found: HashMap<(i64, String), Amount> = rows.into_iter().map(|(unit, name, sum)| ((unit, name), sum)).collect();
    for (unit, id) in units.iter_mut().zip(ids) {
        let of = |meter: &Meter| found.get(&(id, meter.name.clone())).copied().unwrap_or_default();
        unit.spent = UnitSpends(meters.iter().map(|meter| (meter.name.clone(), of(meter))).collect());
    }
    Ok(())
}

/// Returns what some units have cost, each with its meter.
pub(super) fn spends_of(conn: &mut DbConnection, units: &[i64]) -> Result<Vec<(i64, String, Amount)>, Failure> {
    let rows: Vec<(i64, String, i64)> = SpendsOf { units: json(&units) }.load(conn)?;
    Ok(rows.into_iter().map(|(unit, name, sum)| (unit, name, known(sum))).collect())
}

/// Adds what attempts under way have said inside a transaction; returns the meter that can count no more of it, if there is one.
pub(super) fn say(
    conn: &mut DbConnection,
    unit: UnitId,
    amounts: &[(String, Amount)],
) -> Result<Option<String>, Failure> {
    let mut rows = spending(conn, unit.job())?;
    for (name, amount) in amounts {
        let row = row_of(&mut rows, name);
        match row.spent.checked_add(*amount) {
            Some(spent) => row.spent = spent,
            None => return Ok(Some(name.clone())),
        }
        put(conn, unit.job(), row)?;
        let amount = amount.millionths();
        SaySpend { unit: unit.raw(), name, amount, under_way: amount }.execute(conn)?;
    }
    Ok(None)
}
