//! What was written by a clock that has been set back since: waits would otherwise last as long as it was ahead.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::connection::DbConnection;
use super::failure::Failure;
use super::statement::statement;
use super::{Lease, Store, StoreError};
use crate::model::{Job, Timestamp};

/// Steps below this are left to pass by themselves.
pub const SMALL_STEP: Duration = Duration::from_secs(10);

statement! {
    struct ShiftUnits {
        "UPDATE units SET not_before = not_before - "
            step: i64 as BigInt,
        " WHERE not_before IS NOT NULL AND job_id = " job: i64 as BigInt,
        " AND not_before > " now: i64 as BigInt,
    }
    ""
}

statement! {
    struct ShiftHold {
        "UPDATE jobs SET hold_until = hold_until - "
            step: i64 as BigInt,
        " WHERE id = " job: i64 as BigInt,
        " AND hold_until > " now: i64 as BigInt,
    }
    ""
}

impl Store {
    /// Brings the waits of a job forward, because the clock that they were written by has been set back by `step`.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when a later manager has taken over: it has its own look at the clock.
    pub fn shift_waits(&mut self, lease: Lease, step: Duration, now: Timestamp) -> Result<(), StoreError> {
        self.write_under(lease, "follow the clock", |conn, job| shift(conn, &job, step, now))
    }
}

/// Brings the waits of a job forward inside a transaction.
pub(super) fn shift(conn: &mut DbConnection, job: &Job, step: Duration, now: Timestamp) -> Result<(), Failure> {
    let (has_groups, job) = (job.limits.groups.is_some(), job.id);
    let (step, now) = (i64::try_from(step.as_micros()).unwrap_or(i64::MAX), now.as_micros());
    ShiftUnits { step, job: job.0, now }.execute(conn)?;
    ShiftHold { step, job: job.0, now }.execute(conn)?;
    if has_groups {
        super::groups::shift(conn, job, step, now)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Seq, UnitFilter, UnitStatus};
    use crate::store::Batch;
    use crate::store::conformance::{LATER, NOW, change, job_of, lease_on};

    #[test]
    fn fault_296_a_superseded_manager_brings_no_wait_of_its_successor_forward() {
        let mut store = Store::scratch().unwrap();
        let job = job_of(&mut store, 1);
        let before = lease_on(&mut store, job);
        let waiting = [
            change(job, 1, UnitStatus::Pending, UnitStatus::Running),
            change(job, 1, UnitStatus::Running, UnitStatus::Pending),
        ];
        store.record(before, &Batch::of(&waiting)).unwrap();
        let now = lease_on(&mut store, job);

        let refused = store.shift_waits(before, Duration::from_millis(1), NOW);
        let waits = |store: &mut Store| store.units(job, &UnitFilter::one(Seq(1)), None, 1).unwrap()[0].not_before;
        let untouched = waits(&mut store);
        store.shift_waits(now, Duration::from_millis(1), NOW).unwrap();

        assert!(matches!(refused, Err(StoreError::Fenced { .. })), "{refused:?}");
        assert_eq!(untouched, Some(LATER));
        assert!(waits(&mut store) < Some(LATER));
    }
}
