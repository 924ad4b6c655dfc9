//! How often units were postponed, and how long they have waited: told by the rows of their attempts.

use std::collections::HashMap;
use std::time::Duration;

use diesel::prelude::*;

use crate::model::{Cause, JobId, PastAttempt, Postponed, Row, Seq, Timestamp, Unit, UnitId, UnitStatus};
use crate::store::columns::{Checked, Word, count};
use crate::store::connection::DbConnection;
use crate::store::failure::Failure;
use crate::store::jobs::lock_job;
use crate::store::schema::{attempts, jobs, units};
use crate::store::steer::literal;
use crate::store::{Store, StoreError};

/// Units looked at in one transaction.
const PAGE: i64 = 500;

type AttemptColumns = (i64, i64, Checked<Word<Cause>>, Option<i64>, i64);

impl Store {
    /// Returns how often a unit was postponed, and how long it has waited.
    pub fn postponed(&mut self, unit: UnitId) -> Result<Postponed, StoreError> {
        self.read("read the attempts", |conn| Ok(of_units(conn, &[unit])?.remove(&unit).unwrap_or_default()))
    }
}

impl Store {
    /// Makes units due that were postponed for longer than they may wait in all, those of one page after that unit; returns the last one
    /// of the page, if there may be more.
    pub fn bound_waits(
        &mut self,
        job: JobId,
        after: Seq,
        most: Duration,
        now: Timestamp,
    ) -> Result<Option<Seq>, StoreError> {
        self.write("bound how long units wait", |conn| {
            lock_job(conn, job)?;
            let [_, last] = UnitId::ends_of(job);
            let page: Vec<(i64, i64)> = units::table
                .filter(units::id.gt(UnitId::new(job, after).raw()).and(units::id.le(last)))
                .filter(literal(UnitStatus::Pending))
                .filter(units::not_before.gt(now.as_micros()).assume_not_null())
                .order(units::id)
                .limit(PAGE)
                .select((units::id, units::not_before.assume_not_null()))
                .load(conn)?;
            let waiting: Vec<UnitId> = page.iter().map(|(id, _)| UnitId::from_raw(*id)).collect();
            let found = of_units(conn, &waiting)?;
            let mut moved = false;
            for (id, not_before) in &page {
                let latest = found.get(&UnitId::from_raw(*id)).and_then(|postponed| postponed.latest(most));
                if let Some(latest) = latest.map(|latest| latest.max(now).as_micros()).filter(|at| at < not_before) {
                    let due = (units::not_before.eq(latest), units::revision.eq(units::revision + 1));
                    diesel::update(units::table.find(id)).set(due).execute(conn)?;
                    moved = true;
                }
            }
            if moved {
                // Its manager is to look for them.
                diesel::update(jobs::table.find(job.0)).set(jobs::revision.eq(jobs::revision + 1)).execute(conn)?;
            }
            let is_full = i64::try_from(page.len()).is_ok_and(|units| units == PAGE);
            Ok(waiting.last().filter(|_| is_full).map(|unit| unit.seq()))
        })
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
