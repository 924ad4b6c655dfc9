//! How often units were postponed, and how long they have waited: told by the rows of their attempts.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::model::{Cause, PastAttempt, Postponed, Row, Timestamp, Unit, UnitId};
use crate::store::columns::{Checked, Word, count};
use crate::store::connection::DbConnection;
use crate::store::failure::Failure;
use crate::store::schema::attempts;
use crate::store::{Store, StoreError};

type AttemptColumns = (i64, i64, Checked<Word<Cause>>, Option<i64>, i64);

impl Store {
    /// Returns how often a unit was postponed, and how long it has waited.
    pub fn postponed(&mut self, unit: UnitId) -> Result<Postponed, StoreError> {
        self.read("read the attempts", |conn| Ok(of_units(conn, &[unit])?.remove(&unit).unwrap_or_default()))
    }
}

/// Notes with those units that were postponed before how often, and how long they have waited; of the others nothing is read.
pub(in crate::store) fn note_postponed(conn: &mut DbConnection, units: &mut [(Unit, bool)]) -> Result<(), Failure> {
    let were_postponed: Vec<UnitId> = units.iter().filter(|(_, were)| *were).map(|(unit, _)| unit.id).collect();
    if were_postponed.is_empty() {
        return Ok(());
    }
    let found = of_units(conn, &were_postponed)?;
    for (unit, _) in units {
        unit.postponed = found.get(&unit.id).copied().unwrap_or_default();
    }
    Ok(())
}

fn of_units(conn: &mut DbConnection, units: &[UnitId]) -> Result<HashMap<UnitId, Postponed>, Failure> {
    let rows: Vec<AttemptColumns> = attempts::table
        .filter(attempts::unit_id.eq_any(units.iter().map(|unit| unit.raw())))
        .order(attempts::id)
        .select((attempts::unit_id, attempts::attempt, attempts::cause, attempts::started_at, attempts::ended_at))
        .load(conn)?;
    let mut past: HashMap<UnitId, Vec<PastAttempt>> = HashMap::new();
    for (unit, number, cause, started_at, ended_at) in rows {
        let unit = UnitId::from_raw(unit);
        past.entry(unit).or_default().push(PastAttempt {
            number: count(number),
            cause: cause.of(Row::AttemptOf(unit), "cause")?.0,
            started_at: started_at.map(Timestamp::from_micros),
            ended_at: Timestamp::from_micros(ended_at),
        });
    }
    Ok(past.into_iter().map(|(unit, attempts)| (unit, Postponed::of(attempts))).collect())
}
