//! The units of a sample: chosen when all units of a job are there, or when more of them are to run before a person decides again.
//!
//! Each has a time that no unit that came back has, so that it is due before all others and has its first attempt nevertheless.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use crate::model::{JobId, Limits, Reach, Seq, UnitId, UnitStatus};
use crate::store::connection::DbConnection;
use crate::store::failure::Failure;
use crate::store::schema::{jobs, units};
use crate::store::statement::statement;
use crate::store::unit_row::DueColumns;
use crate::store::{Store, StoreError};

statement! {
    pub(in crate::store) struct DueChosen {
        "SELECT id, key, payload, attempts, crashes, revision, checkpoint, EXISTS (SELECT 1 FROM attempts \
         WHERE attempts.unit_id = units.id AND cause = 'postponed'), not_before = 0 FROM units \
         LEFT JOIN unit_notes ON unit_notes.unit_id = units.id WHERE id IN (SELECT value FROM json_each("
            units: String as Text,
        ")) AND not_before IS NOT NULL AND not_before <= " now: i64 as BigInt,
        " ORDER BY not_before, id LIMIT " limit: i64 as BigInt,
    }
    "" -> DueColumns
}

statement! {
    pub(in crate::store) struct NextChosen {
        "SELECT min(not_before) FROM units WHERE not_before IS NOT NULL AND id IN (SELECT value FROM json_each("
            units: String as Text,
    }
    "))" -> Nullable<BigInt>
}

statement! {
    struct AnyUnfinished {
        ["SELECT EXISTS (SELECT 1 FROM units WHERE id IN (SELECT value FROM json_each("
         "SELECT EXISTS (SELECT 1 FROM units WHERE id IN (SELECT value::bigint FROM json_array_elements_text(("]
            units: String as Text,
    }
    [")) AND status IN ('pending', 'running'))" ")::json)) AND status IN ('pending', 'running'))"] -> Bool
}

statement! {
    struct PutFirst {
        ["UPDATE units SET not_before = 0 WHERE status = 'pending' AND not_before IS NULL AND id IN (SELECT value FROM json_each("
         "UPDATE units SET not_before = 0 WHERE status = 'pending' AND not_before IS NULL AND id IN (SELECT value::bigint FROM json_array_elements_text(("]
            units: String as Text,
    }
    ["))" ")::json))"]
}

statement! {
    struct PutBack {
        "UPDATE units SET not_before = NULL WHERE not_before = 0 AND job_id = " job: i64 as BigInt,
    }
    ""
}

impl Store {
    /// Returns `true` if a unit within reach has not ended.
    pub fn is_unfinished(&mut self, job: JobId, reach: &Reach) -> Result<bool, StoreError> {
        self.read("look for waiting units", |conn| {
            if let Some(units) = reach.chosen(job) {
                return Ok(AnyUnfinished { units }.get_result(conn)?);
            }
            let ids = UnitId::new(job, Seq::FIRST).raw()..=UnitId::new(job, reach.last()).raw();
            let first = units::table
                .filter(units::id.between(*ids.start(), *ids.end()))
                .filter(units::status.eq_any([UnitStatus::Pending.as_str(), UnitStatus::Running.as_str()]));
            Ok(diesel::select(diesel::dsl::exists(first)).get_result(conn)?)
        })
    }
}

/// Draws the sample of a job whose units are all there, inside a transaction; nothing is done for a job without.
pub(in crate::store) fn draw(conn: &mut DbConnection, job: JobId, limits: &Limits) -> Result<(), Failure> {
    let (Some(size), Some(sample)) = (limits.canary, &limits.sample) else { return Ok(()) };
    let total: i64 = jobs::table.find(job.0).select(jobs::total).first(conn)?;
    let drawn = sample.draw(usize::try_from(size).unwrap_or(usize::MAX), total.unsigned_abs());
    let seqs = drawn.into_iter().map(|seq| Seq(i64::try_from(seq).expect("no more than the total")));
    let mut limits = limits.clone();
    if let Some(sample) = &mut limits.sample {
        sample.chosen = seqs.collect();
    }
    // A creation in several steps draws again when it knows more.
    PutBack { job: job.0 }.execute(conn)?;
    put_first(conn, job, &limits)?;
    let json = serde_json::to_string(&limits).expect("limits are numbers and words");
    diesel::update(jobs::table.find(job.0)).set(jobs::limits.eq(json)).execute(conn)?;
    Ok(())
}

/// Lets the units that were chosen and wait for their first attempt come before all others.
pub(in crate::store) fn put_first(conn: &mut DbConnection, job: JobId, limits: &Limits) -> Result<(), Failure> {
    let Some(units) = limits.reach().chosen(job) else { return Ok(()) };
    PutFirst { units }.execute(conn)?;
    Ok(())
}
