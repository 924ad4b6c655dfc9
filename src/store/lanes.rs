//! Which units of a job ran in which worker slot of late: no more than 10,000 rows are looked at, whatever the size of the job.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::columns::{Checked, Word};
use super::statement::statement;
use super::{Store, StoreError, slots};
use crate::model::lanes::{AttemptRun, UnitRun};
use crate::model::{JobId, Lanes, Seq, Timestamp, UnitId, UnitStatus};

/// Units that are looked at, those with the highest numbers that have begun.
const UNITS: i64 = 4_000;

statement! {
    // Those units, and whatever else of the job the latest attempts of the database were about.
    struct UnitsOfLate {
        "SELECT id, status, started_at, finished_at, slot FROM units WHERE id > " after: i64 as BigInt,
        " AND id <= " last: i64 as BigInt,
        " UNION ALL SELECT id, status, started_at, finished_at, slot FROM units WHERE id IN (SELECT unit_id FROM \
         (SELECT unit_id FROM attempts ORDER BY id DESC LIMIT 2000) AS latest WHERE unit_id >= " first: i64 as BigInt,
        " AND unit_id <= " through: i64 as BigInt,
        " AND NOT (unit_id > " but_after: i64 as BigInt,
        " AND unit_id <= " but_last: i64 as BigInt,
    }
    "))" -> (BigInt, Text, Nullable<BigInt>, Nullable<BigInt>, Nullable<BigInt>)
}

statement! {
    struct AttemptsOfLate {
        "SELECT unit_id, attempts.started_at, ended_at, attempts.slot, status, units.started_at \
         FROM attempts JOIN units ON units.id = unit_id WHERE attempts.id IN (SELECT id FROM (SELECT id FROM attempts WHERE unit_id > "
            after: i64 as BigInt,
        " AND unit_id <= " last: i64 as BigInt,
        " ORDER BY unit_id DESC LIMIT 2000) AS of_units UNION ALL SELECT id FROM \
         (SELECT id, unit_id FROM attempts ORDER BY id DESC LIMIT 2000) AS latest WHERE unit_id >= " first: i64 as BigInt,
        " AND unit_id <= " through: i64 as BigInt,
    }
    ")" -> (BigInt, Nullable<BigInt>, BigInt, Nullable<BigInt>, Text, Nullable<BigInt>)
}

type UnitRow = (i64, Checked<Word<UnitStatus>>, Option<i64>, Option<i64>, Option<i64>);
type AttemptRow = (i64, Option<i64>, i64, Option<i64>, Checked<Word<UnitStatus>>, Option<i64>);

impl Store {
    /// Returns who ran when in the slots of a job of late, whose units up to `through` have begun; nothing from a database that
    /// does not keep the slots.
    pub fn lanes(&mut self, job: JobId, through: Seq, now: Timestamp) -> Result<Lanes, StoreError> {
        let [first, end] = UnitId::ends_of(job);
        let last = UnitId::new(job, through).raw();
        let after = (last - UNITS).max(first - 1);
        self.read("look at who ran when", |conn| {
            if !slots::are_kept(conn)? {
                return Ok(Lanes::default());
            }
            let units: Vec<UnitRow> =
                UnitsOfLate { after, last, first, through: end, but_after: after, but_last: last }.load(conn)?;
            let attempts: Vec<AttemptRow> = AttemptsOfLate { after, last, first, through: end }.load(conn)?;
            let units: Vec<UnitRun> = units.into_iter().filter_map(unit_run).collect();
            let attempts: Vec<AttemptRun> = attempts.into_iter().filter_map(attempt_run).collect();
            Ok(Lanes::of(&units, &attempts, after >= first, now))
        })
    }
}

/// A unit in a state that cannot be read is named by whoever lists it.
fn unit_run((id, status, started_at, finished_at, slot): UnitRow) -> Option<UnitRun> {
    Some(UnitRun {
        id: UnitId::from_raw(id),
        status: status.known()?.0,
        started_at: Timestamp::from_micros(started_at?),
        finished_at: finished_at.map(Timestamp::from_micros),
        slot: slots::known(slot)?,
    })
}

fn attempt_run((unit, started_at, ended_at, slot, status, of_unit): AttemptRow) -> Option<AttemptRun> {
    let is_last = started_at == of_unit;
    Some(AttemptRun {
        unit: UnitId::from_raw(unit),
        started_at: Timestamp::from_micros(started_at?),
        ended_at: Timestamp::from_micros(ended_at),
        slot: slots::known(slot)?,
        is_final: is_last && status.known()?.0 == UnitStatus::Failed,
    })
}
