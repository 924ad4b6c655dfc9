//! Where one unit stands, whatever its texts are: for whoever records what became of an attempt.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::columns::{Checked, Word};
use super::statement::statement;
use super::unit_row::{UnitColumns, UnitRow, unit};
use super::{Store, StoreError};
use crate::model::{Row, Timestamp, Unit, UnitId, UnitStatus};

statement! {
    pub(super) struct StandingOf {
        "SELECT id, key, '', attempts, crashes, revision, status, not_before, started_at FROM units WHERE id = "
            unit: i64 as BigInt,
    }
    "" -> (UnitColumns, Text, Nullable<BigInt>, Nullable<BigInt>)
}

/// A unit without its payload, and what its row says of its attempts.
#[derive(Debug)]
pub struct Standing {
    /// The unit.
    pub unit: Unit,
    /// Its state.
    pub status: UnitStatus,
    /// Earliest time of its next attempt.
    pub not_before: Option<Timestamp>,
    /// When its latest attempt started.
    pub started_at: Option<Timestamp>,
}

type StandingRow = (UnitRow, Checked<Word<UnitStatus>>, Option<i64>, Option<i64>);

impl Store {
    /// Returns where a unit stands; none when there is none of that number.
    pub fn standing(&mut self, id: UnitId) -> Result<Option<Standing>, StoreError> {
        self.read("read a unit", |conn| {
            let row: Option<StandingRow> = StandingOf { unit: id.raw() }.get_result(conn).optional()?;
            let Some((row, status, not_before, started_at)) = row else { return Ok(None) };
            let [not_before, started_at] = [not_before, started_at].map(|at| at.map(Timestamp::from_micros));
            let status = status.of(Row::Unit(id), "status")?.0;
            Ok(Some(Standing { unit: unit(row)?, status, not_before, started_at }))
        })
    }
}
