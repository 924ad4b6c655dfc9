//! What the first units of a job have taken and cost, and which units wait, for whoever decides about the rest.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::connection::DbConnection;
use super::failure::Failure;
use super::meters::spends_of;
use super::schema::units;
use super::statement::statement;
use super::{Store, StoreError};
use crate::model::{Amount, JobId, Limits, Seq, UnitId, UnitStatus};

/// Units that are looked at: no more make an estimate much better.
const MOST: i64 = 10_000;

/// The time of all attempts at a unit; the last one of a unit that failed is among its attempts.
macro_rules! ended {
    ($which:literal) => {
        concat!(
            "SELECT units.id, status = 'completed', CASE WHEN status = 'completed' THEN coalesce(finished_at - started_at, 0) ELSE 0 END \
             + CAST(coalesce((SELECT sum(ended_at - started_at) FROM attempts WHERE attempts.unit_id = units.id), 0) AS BIGINT) \
             FROM units WHERE kind IS NULL AND status IN ('completed', 'failed') AND units.id ",
            $which
        )
    };
}

const AMONG: &str = ended!("IN (SELECT value FROM json_each(");
#[cfg(feature = "postgres")]
const AMONG_ON_POSTGRES: &str = ended!("IN (SELECT value::bigint FROM json_array_elements_text((");
const BETWEEN: &str = ended!("BETWEEN ");

statement! {
    struct EndedAmong {
        [AMONG AMONG_ON_POSTGRES]
            units: String as Text,
        [")) LIMIT " ")::json)) LIMIT "] limit: i64 as BigInt,
    }
    "" -> (BigInt, Bool, BigInt)
}

statement! {
    struct EndedBetween {
        BETWEEN first: i64 as BigInt,
        " AND " last: i64 as BigInt,
        " ORDER BY units.id LIMIT " limit: i64 as BigInt,
    }
    "" -> (BigInt, Bool, BigInt)
}

/// What is known of a unit that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct EndedUnit {
    /// Whether it completed.
    pub is_well: bool,
    /// Seconds that all its attempts have taken.
    pub seconds: f64,
    /// What they have cost, by the names of meters.
    pub spent: BTreeMap<String, Amount>,
}

impl Store {
    /// Returns what the first units of a job, those that run before an approval, have taken and cost.
    pub fn pilot(&mut self, job: JobId, limits: &Limits) -> Result<Vec<EndedUnit>, StoreError> {
        self.read("read the first units", |conn| {
            let reach = limits.reach();
            let rows: Vec<(i64, bool, i64)> = match reach.chosen(job) {
                Some(units) => EndedAmong { units, limit: MOST }.load(conn)?,
                None => {
                    let [first, last] = [Seq::FIRST, reach.last()].map(|seq| UnitId::new(job, seq).raw());
                    EndedBetween { first, last, limit: MOST }.load(conn)?
                }
            };
            let mut spent = spent_by(conn, limits, &rows)?;
            let unit = |(id, is_well, micros): (i64, bool, i64)| EndedUnit {
                is_well,
                seconds: micros.max(0) as f64 / 1e6,
                spent: spent.remove(&id).unwrap_or_default(),
            };
            Ok(rows.into_iter().map(unit).collect())
        })
    }

    /// Returns up to `limit` pending units of a job after one, in order of their numbers.
    pub fn pending_seqs(&mut self, job: JobId, after: Seq, limit: i64) -> Result<Vec<Seq>, StoreError> {
        self.read("read waiting units", |conn| {
            let ids: Vec<i64> = units::table
                .filter(units::id.gt(UnitId::new(job, after).raw()))
                .filter(units::id.le(UnitId::new(job, Seq::MAX).raw()))
                .filter(units::status.eq(UnitStatus::Pending.as_str()))
                .order(units::id)
                .limit(limit)
                .select(units::id)
                .load(conn)?;
            Ok(ids.into_iter().map(|id| UnitId::from_raw(id).seq()).collect())
        })
    }

    /// Returns those of some units that are pending.
    pub fn pending_of(&mut self, job: JobId, among: &[Seq]) -> Result<Vec<Seq>, StoreError> {
        self.read("read waiting units", |conn| {
            let mut found = Vec::new();
            // Fewer than a statement may have values.
            for part in among.chunks(500) {
                let ids: Vec<i64> = part.iter().map(|seq| UnitId::new(job, *seq).raw()).collect();
                let pending =
                    units::table.filter(units::id.eq_any(ids)).filter(units::status.eq(UnitStatus::Pending.as_str()));
                let ids: Vec<i64> = pending.order(units::id).select(units::id).load(conn)?;
                found.extend(ids.into_iter().map(|id| UnitId::from_raw(id).seq()));
            }
            Ok(found)
        })
    }
}

/// What each of some units has cost.
fn spent_by(
    conn: &mut DbConnection,
    limits: &Limits,
    rows: &[(i64, bool, i64)],
) -> Result<HashMap<i64, BTreeMap<String, Amount>>, Failure> {
    let mut spent: HashMap<i64, BTreeMap<String, Amount>> = HashMap::new();
    if limits.meters.is_empty() {
        return Ok(spent);
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
    for (unit, name, amount) in spends_of(conn, &ids)? {
        spent.entry(unit).or_default().insert(name, amount);
    }
    Ok(spent)
}
