//! Counters of a job, which move in the transaction that changes its units.

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::connection::DbConnection;
use super::failure::Failure;
use super::lease::Lease;
use super::statement::statement;
use super::tallies::keep_left;
use crate::model::{JobId, Seq, UnitStatus};

statement! {
    pub(super) struct ShiftCounters {
        "UPDATE jobs SET pending = pending + "
            pending: i64 as BigInt,
        ", running = running + " running: i64 as BigInt,
        ", completed = completed + " completed: i64 as BigInt,
        ", failed = failed + " failed: i64 as BigInt,
        ", skipped = skipped + " skipped: i64 as BigInt,
        ", cancelled = cancelled + " cancelled: i64 as BigInt,
        [", claimed_through = max(claimed_through, " ", claimed_through = greatest(claimed_through, "] claimed_through: i64 as BigInt,
        ") WHERE id = " job: i64 as BigInt,
        " AND epoch = " epoch: i64 as BigInt,
    }
    ""
}

/// Moves `changed` units from one counter to another.
pub(super) fn shift(
    conn: &mut DbConnection,
    job: JobId,
    from: UnitStatus,
    to: UnitStatus,
    changed: usize,
) -> Result<i64, Failure> {
    let moved = i64::try_from(changed).expect("SQLite counts in 64 bits");
    let set = format!("{from} = {from} - {moved}, {to} = {to} + {moved}, revision = revision + 1");
    let sql = format!("UPDATE jobs SET {set} WHERE id = {job}");
    diesel::sql_query(sql).execute(conn)?;
    keep_left(conn, from, changed)?;
    Ok(moved)
}

/// Differences of a job's counters within one transaction.
#[derive(Default)]
pub(super) struct Counters([i64; UnitStatus::ALL.len()]);

impl Counters {
    pub fn shift(&mut self, from: UnitStatus, to: UnitStatus) {
        self.0[from as usize] -= 1;
        self.0[to as usize] += 1;
    }

    /// Returns by how much the units in a state have become more.
    pub fn of(&self, status: UnitStatus) -> i64 {
        self.0[status as usize]
    }

    pub fn update(&self, lease: Lease, claimed_through: Seq) -> ShiftCounters {
        let of = |status| self.of(status);
        ShiftCounters {
            pending: of(UnitStatus::Pending),
            running: of(UnitStatus::Running),
            completed: of(UnitStatus::Completed),
            failed: of(UnitStatus::Failed),
            skipped: of(UnitStatus::Skipped),
            cancelled: of(UnitStatus::Cancelled),
            claimed_through: claimed_through.0,
            job: lease.job.0,
            epoch: lease.epoch.0,
        }
    }
}
