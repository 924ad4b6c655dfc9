//! What attempts cost: sums of a job, and of each of its units, which change in the transaction of the end or of the word.
//!
//! Invariant: what a meter has counted is the sum of what its units have. Every attempt counts, however it ends and whatever clients have done
//! to its unit meanwhile; one of unknown cost counts as what an attempt usually costs, and is counted as such. Jobs without meters
//! have no row here, and no statement is run for them.

mod refused;

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::columns::{Checked, Json};
use super::connection::{Db, DbConnection};
use super::failure::Failure;
use super::jobs::lock_visible;
use super::notes::expect_attempt;
use super::schema::{jobs, meters};
use super::statement::statement;
use super::{Lease, Store, StoreError, UnitChange};
pub use refused::MeterRefused;

use crate::model::{
    Amount, AttemptName, Costs, JobId, Limits, Meter, Metered, Row, Spending, Timestamp, UnitDetail, UnitId,
    UnitSpends, UnitStatus, Unreadable,
};

statement! {
    struct SaidOf {
        ["SELECT unit_id, name, under_way FROM spends WHERE under_way IS NOT NULL AND unit_id IN (SELECT value FROM json_each("
         "SELECT unit_id, name, under_way FROM spends WHERE under_way IS NOT NULL AND unit_id IN (SELECT value::bigint FROM json_array_elements_text(("]
            units: String as Text,
    }
    ["))" ")::json))"] -> (BigInt, Text, BigInt)
}

statement! {
    struct SpendsOf {
        ["SELECT unit_id, name, amount FROM spends WHERE unit_id IN (SELECT value FROM json_each("
         "SELECT unit_id, name, amount FROM spends WHERE unit_id IN (SELECT value::bigint FROM json_array_elements_text(("]
            units: String as Text,
    }
    ["))" ")::json))"] -> (BigInt, Text, BigInt)
}

statement! {
    // The attempts have ended: none of the units has one under way that has said anything.
    struct AddSpends {
        ["INSERT INTO spends (unit_id, name, amount) SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each("
         "INSERT INTO spends (unit_id, name, amount) SELECT (value ->> 0)::bigint, value ->> 1, (value ->> 2)::bigint FROM json_array_elements(("]
            rows: String as Text,
    }
    [") WHERE true ON CONFLICT (unit_id, name) DO UPDATE SET amount = spends.amount + excluded.amount, under_way = NULL"
     ")::json) ON CONFLICT (unit_id, name) DO UPDATE SET amount = spends.amount + excluded.amount, under_way = NULL"]
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

statement! {
    struct PutMeter<'a> {
        "INSERT INTO meters (job_id, name, spent, unmetered, day_start, before_day, costs) VALUES (" job: i64 as BigInt,
        ", " name: &'a str as Text,
        ", " spent: i64 as BigInt,
        ", " unmetered: i64 as BigInt,
        ", " day_start: i64 as BigInt,
        ", " before_day: i64 as BigInt,
        ", " costs: String as Text,
    }
    ") ON CONFLICT (job_id, name) DO UPDATE SET spent = excluded.spent, unmetered = excluded.unmetered, \
     day_start = excluded.day_start, before_day = excluded.before_day, costs = excluded.costs"
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = meters, check_for_backend(Db))]
struct MeterRow {
    name: Checked<String>,
    spent: i64,
    unmetered: i64,
    day_start: i64,
    before_day: i64,
    costs: Checked<Json<Costs>>,
}

/// What a transaction found out about the cost of attempts.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// What each meter has counted by now; nothing where no attempt of the transaction was metered.
    pub spending: Vec<Spending>,
    /// Units that completed although a budget depends on what they cost and nobody knows that, each with the meter.
    pub uncounted: Vec<(UnitId, String)>,
}

impl Store {
    /// Returns what the meters of a job have counted, those that have.
    pub fn spending(&mut self, job: JobId) -> Result<Vec<Spending>, StoreError> {
        self.read("read what the job has spent", |conn| spending(conn, job))
    }

    /// Adds what the command of an attempt says that it has spent; durable when it returns.
    ///
    /// # Errors
    /// [`StoreError::AttemptOver`] when that attempt is not under way, [`MeterRefused::NoMeter`] when its job does not count that, and
    /// [`MeterRefused::SpentTooMuch`] when the sum can be counted no more.
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

/// Adds to some units of a job, inside a transaction, what they have cost.
pub(super) fn add_spends(conn: &mut DbConnection, job: JobId, units: &mut [UnitDetail]) -> Result<(), Failure> {
    // A database of an older version has no such table, and no job with meters.
    let limits = jobs::table.find(job.0).select(jobs::limits);
    let limits: Option<Checked<Json<Limits>>> = if units.is_empty() { None } else { limits.first(conn).optional()? };
    // What cannot be read is named where the job is shown.
    let meters = limits.as_ref().and_then(|limits| limits.known()).map_or(&[][..], |Json(limits)| &limits.meters);
    if meters.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = units.iter().map(|unit| UnitId::new(job, unit.seq).raw()).collect();
    let rows: Vec<(i64, String, i64)> = SpendsOf { units: json(&ids) }.load(conn)?;
    let found: HashMap<(i64, String), i64> = rows.into_iter().map(|(unit, name, sum)| ((unit, name), sum)).collect();
    for (unit, id) in units.iter_mut().zip(ids) {
        let of = |meter: &Meter| known(found.get(&(id, meter.name.clone())).copied().unwrap_or(0));
        unit.spent = UnitSpends(meters.iter().map(|meter| (meter.name.clone(), of(meter))).collect());
    }
    Ok(())
}

/// Reads what the meters of a job have counted, inside a transaction.
pub(super) fn spending(conn: &mut DbConnection, job: JobId) -> Result<Vec<Spending>, Failure> {
    let of_job = meters::table.filter(meters::job_id.eq(job.0)).order(meters::name);
    let rows: Vec<MeterRow> = of_job.select(MeterRow::as_select()).load(conn)?;
    let read = |row: MeterRow| {
        let place = Row::Job(job);
        Ok(Spending {
            name: row.name.of(place, "name in meters")?,
            spent: known(row.spent),
            unmetered: row.unmetered.unsigned_abs(),
            day_start: Timestamp::from_micros(row.day_start),
            before_day: known(row.before_day),
            costs: row.costs.of(place, "costs in meters")?.0,
        })
    };
    Ok(rows.into_iter().map(read).collect::<Result<_, Unreadable>>()?)
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

/// Counts what attempts have cost that have ended, inside a transaction.
pub(super) fn settle<'a>(
    conn: &mut DbConnection,
    job: JobId,
    meters: &[Meter],
    changes: impl Iterator<Item = &'a UnitChange> + Clone,
) -> Result<Settled, Failure> {
    let ends = changes
        .filter_map(|change| Some((change, &change.end.as_ref().filter(|end| !end.metered.is_empty())?.metered)));
    let units: Vec<i64> = ends.clone().map(|(change, _)| change.unit.raw()).collect();
    if units.is_empty() {
        return Ok(Settled::default());
    }
    let said: Vec<(i64, String, i64)> = SaidOf { units: json(&units) }.load(conn)?;
    let mut said: HashMap<(i64, String), i64> =
        said.into_iter().map(|(unit, name, amount)| ((unit, name), amount)).collect();
    let mut settled = Settled { spending: spending(conn, job)?, uncounted: Vec::new() };
    let mut added: BTreeMap<(i64, &str), i64> = BTreeMap::new();
    for (change, metered) in ends {
        for of in metered {
            let said = said.remove(&(change.unit.raw(), of.name.clone())).map(known);
            let meter = meters.iter().find(|meter| meter.name == of.name);
            let row = row_of(&mut settled.spending, &of.name);
            // Whatever the cost of an attempt was, a budget goes on with what is set aside for one, if that is known.
            let has_budget = meter.is_some_and(|meter| meter.budget.is_some());
            let counts_nothing = meter.is_some_and(|meter| row.reservation(meter).is_none());
            let is_known = count(row, meter, of, said);
            if !is_known.1 && has_budget && (change.to == UnitStatus::Completed || counts_nothing) {
                settled.uncounted.push((change.unit, of.name.clone()));
            }
            *added.entry((change.unit.raw(), &of.name)).or_default() += is_known.0.millionths();
        }
    }
    let rows: Vec<(i64, &str, i64)> = added.into_iter().map(|((unit, name), amount)| (unit, name, amount)).collect();
    AddSpends { rows: json(&rows) }.execute(conn)?;
    for row in &settled.spending {
        put(conn, job, row)?;
    }
    Ok(settled)
}

/// Counts what an attempt has cost by one meter, of which `said` is counted; returns what is added, and whether its cost is known.
fn count(row: &mut Spending, meter: Option<&Meter>, of: &Metered, said: Option<Amount>) -> (Amount, bool) {
    let has_path = meter.is_some_and(|meter| meter.path.is_some());
    let (more, cost) = match (of.amount, said) {
        (Some(found), said) => (found, Some(found.saturating_add(said.unwrap_or_default()))),
        // An attempt that says by itself what it spends has said so much until its end.
        (None, Some(said)) if !has_path => (Amount::ZERO, Some(said)),
        (None, said) => {
            let usual = meter.and_then(|meter| row.reservation(meter)).unwrap_or_default();
            (usual.saturating_sub(said.unwrap_or_default()), None)
        }
    };
    // What the sum cannot hold any more is not in the unit's amount either.
    let spent = row.spent.saturating_add(more);
    let more = spent.saturating_sub(row.spent);
    row.spent = spent;
    match cost {
        Some(cost) => row.costs.add(cost),
        None => row.unmetered += 1,
    }
    (more, cost.is_some())
}

fn put(conn: &mut DbConnection, job: JobId, row: &Spending) -> Result<(), Failure> {
    PutMeter {
        job: job.0,
        name: &row.name,
        spent: row.spent.millionths(),
        unmetered: i64::try_from(row.unmetered).unwrap_or(i64::MAX),
        day_start: row.day_start.as_micros(),
        before_day: row.before_day.millionths(),
        costs: json(&row.costs),
    }
    .execute(conn)?;
    Ok(())
}

fn row_of<'a>(rows: &'a mut Vec<Spending>, name: &str) -> &'a mut Spending {
    let place = rows.iter().position(|row| row.name == name).unwrap_or_else(|| {
        rows.push(Spending::none(name));
        rows.len() - 1
    });
    &mut rows[place]
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("numbers and texts have a form in JSON")
}

/// Returns an amount of a column, which the schema keeps from being negative.
fn known(millionths: i64) -> Amount {
    Amount::from_millionths(millionths).unwrap_or_default()
}
