//! What pictures of a job are drawn from: units spread evenly over their numbers, at a cost that has a bound.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::columns::{Checked, Word};
use super::statement::statement;
use super::{Store, StoreError};
use crate::model::charts::EndedRun;
use crate::model::{JobId, Timestamp, UnitId, UnitStatus};

statement! {
    // One unit of each stretch of `step` numbers, each time another one of it: a source may repeat itself.
    struct Spread {
        ["WITH RECURSIVE picks (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM picks WHERE n + 1 < "
         "WITH picks AS (SELECT generate_series(0, "] picks: i64 as BigInt,
        [") SELECT status, started_at, finished_at FROM picks CROSS JOIN units ON units.id = "
         " - 1) AS n) SELECT status, started_at, finished_at FROM picks JOIN units ON units.id = "] first: i64 as BigInt,
        " + n * " step: i64 as BigInt,
        " + (n * 2654435761) % " modulus: i64 as BigInt,
    }
    "" -> (Text, Nullable<BigInt>, Nullable<BigInt>)
}

pub(super) type SpreadRow = (Checked<Word<UnitStatus>>, Option<i64>, Option<i64>);

/// Units of a job that were looked at.
pub struct SpreadUnits {
    /// Those among them that have run and ended.
    pub(crate) ended: Vec<EndedRun>,
    /// All that were looked at.
    pub counted: i64,
}

impl Store {
    /// Looks at up to `most` of the units up to a number, spread evenly over them.
    pub fn spread_units(&mut self, job: JobId, through: i64, most: i64) -> Result<SpreadUnits, StoreError> {
        let first = UnitId::ends_of(job)[0];
        let step = (through / most.max(1) + i64::from(through % most.max(1) > 0)).max(1);
        let picks = through / step;
        if picks == 0 {
            return Ok(SpreadUnits { ended: Vec::new(), counted: 0 });
        }
        self.read("look at units", |conn| {
            let rows: Vec<SpreadRow> = Spread { picks, first, step, modulus: step }.load(conn)?;
            let counted = i64::try_from(rows.len()).unwrap_or(i64::MAX);
            let ended = rows.iter().filter_map(ended).collect();
            Ok(SpreadUnits { ended, counted })
        })
    }
}

/// A unit in a state that cannot be read is named by whoever lists it.
pub(super) fn ended((status, started_at, finished_at): &SpreadRow) -> Option<EndedRun> {
    let status = status.known()?.0;
    let [started_at, finished_at] = [*started_at, *finished_at].map(|at| at.map(Timestamp::from_micros));
    let has_run = matches!(status, UnitStatus::Completed | UnitStatus::Failed);
    Some(EndedRun { status, started_at: started_at?, finished_at: finished_at? }).filter(|_| has_run)
}
