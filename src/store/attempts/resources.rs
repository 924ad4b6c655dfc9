//! What attempts that did not complete took of the machine; of those in databases of older schemas nobody knows.

use std::collections::HashMap;
use std::time::Duration;

use diesel::dsl::{Eq, max};
use diesel::prelude::*;

use crate::model::{Cause, Resources, UnitId};
use crate::store::connection::DbConnection;
use crate::store::failure::Failure;
use crate::store::open::UserVersion;
use crate::store::schema::attempts;
use crate::store::{Store, StoreError};

/// The first schema that keeps them.
const FIRST_SCHEMA: i32 = 12;

type Columns = (
    Eq<attempts::cpu_us, Option<i64>>,
    Eq<attempts::peak_bytes, Option<i64>>,
    Eq<attempts::peak_is_bound, Option<i64>>,
);
type Row = (i64, Option<i64>, Option<i64>, Option<i64>);

/// Returns what is written of an attempt.
pub(super) fn columns(took: Option<Resources>) -> Columns {
    let whole = |number: u128| i64::try_from(number).unwrap_or(i64::MAX);
    (
        attempts::cpu_us.eq(took.map(|took| whole(took.cpu.as_micros()))),
        attempts::peak_bytes.eq(took.map(|took| whole(took.peak.into()))),
        attempts::peak_is_bound.eq(took.map(|took| i64::from(took.is_bound))),
    )
}

/// Returns what the attempts of a unit took, by the number of their rows.
pub(super) fn of_attempts(conn: &mut DbConnection, unit: UnitId) -> Result<HashMap<i64, Resources>, Failure> {
    let schema: i32 = UserVersion {}.get_result(conn)?;
    if schema < FIRST_SCHEMA {
        return Ok(HashMap::new());
    }
    let rows: Vec<Row> = attempts::table
        .filter(attempts::unit_id.eq(unit.raw()))
        .select((attempts::id, attempts::cpu_us, attempts::peak_bytes, attempts::peak_is_bound))
        .load(conn)?;
    let resources = |(id, cpu, peak, is_bound): Row| {
        let (cpu, peak) = (Duration::from_micros(cpu?.unsigned_abs()), peak?.unsigned_abs());
        Some((id, Resources { cpu, peak, is_bound: is_bound != Some(0) }))
    };
    Ok(rows.into_iter().filter_map(resources).collect())
}

impl Store {
    /// Returns the most memory that an attempt at a unit had which something has killed, if that is known.
    pub fn killed_with(&mut self, unit: UnitId) -> Result<Option<u64>, StoreError> {
        self.read("read how much memory the unit has had", |conn| {
            let killed = attempts::table
                .filter(attempts::unit_id.eq(unit.raw()))
                .filter(attempts::cause.eq(Cause::Killed.as_str()));
            let most: Option<i64> = killed.select(max(attempts::peak_bytes)).first(conn)?;
            Ok(most.and_then(|most| u64::try_from(most).ok()))
        })
    }
}
