//! What units of a job wait for, for those who ask why nothing happens.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::statement::statement;
use super::{Store, StoreError};
use crate::model::{Timestamp, UnitId};

/// Units counted at most; nobody wants to know exactly how many more there are.
const MAX_COUNTED: i64 = 100_000;

statement! {
    struct DueBefore {
        ["SELECT count(*) FROM units INDEXED BY units_waiting WHERE not_before IS NOT NULL AND job_id = "
         "SELECT count(*) FROM units WHERE not_before IS NOT NULL AND job_id = "]
            job: i64 as BigInt,
        " AND not_before < " before: i64 as BigInt,
    }
    "" -> BigInt
}

statement! {
    struct FreshBefore {
        "SELECT count(*) FROM (SELECT 1 FROM units WHERE status = 'pending' AND not_before IS NULL AND id > "
            after: i64 as BigInt,
        " AND id < " before: i64 as BigInt,
        " LIMIT " limit: i64 as BigInt,
    }
    // Servers before version 16 want a name.
    ") AS fresh" -> BigInt
}

impl Store {
    /// Returns how many units are to be taken before that one, which is due since `due` or waits for its first attempt;
    /// not more than a hundred thousand of those that wait for their first.
    pub fn units_ahead(&mut self, unit: UnitId, due: Option<Timestamp>, now: Timestamp) -> Result<i64, StoreError> {
        let claimed_through = self.claimed_through(unit.job())?;
        self.read("count the waiting units", |conn| {
            let before = due.unwrap_or(now).as_micros();
            let due_before: i64 = DueBefore { job: unit.job().0, before }.get_result(conn)?;
            if due.is_some() {
                return Ok(due_before);
            }
            let after = UnitId::new(unit.job(), claimed_through).raw();
            let fresh: i64 = FreshBefore { after, before: unit.raw(), limit: MAX_COUNTED }.get_result(conn)?;
            Ok(due_before + fresh)
        })
    }
}
