//! What attempts have cost that have ended.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::rows::{json, known, put, row_of, spending};
use crate::model::{Amount, JobId, Meter, Metered, Spending, UnitId, UnitStatus};
use crate::store::UnitChange;
use crate::store::connection::DbConnection;
use crate::store::failure::Failure;
use crate::store::statement::statement;

statement! {
    struct SaidOf {
        ["SELECT unit_id, name, under_way FROM spends WHERE under_way IS NOT NULL AND unit_id IN (SELECT value FROM json_each("
         "SELECT unit_id, name, under_way FROM spends WHERE under_way IS NOT NULL AND unit_id IN (SELECT value::bigint FROM json_array_elements_text(("]
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

/// What a transaction found out about the cost of attempts.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// What each meter has counted by now; nothing where no attempt of the transaction was metered.
    pub spending: Vec<Spending>,
    /// Units that completed although a budget depends on what they cost and nobody knows that, each with the meter.
    pub uncounted: Vec<(UnitId, String)>,
}

/// Counts what attempts have cost that have ended, inside a transaction.
pub(in crate::store) fn settle<'a>(
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
            // Whatever the cost of an attempt was, a budget goes on with what is set aside for one, if that is known. A rate goes on in
            // any case: one that came to nothing, because it was refused, has cost little.
            let has_budget = meter.is_some_and(|meter| meter.budget.is_some());
            let is_bounded = meter.is_some_and(Meter::is_bounded);
            let counts_nothing = meter.is_some_and(|meter| row.reservation(meter).is_none());
            let is_known = count(row, meter, of, said);
            let is_completed = change.to == UnitStatus::Completed;
            if !is_known.1 && (is_bounded && is_completed || has_budget && counts_nothing) {
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
