//! Numbers that only grow, over all jobs that there are and ever were: rows of their own, which outlive the jobs.
//!
//! On a server managers on many hosts add at the same moment; each name has several rows there, so that they hardly ever wait for
//! each other, and whoever adds to several names does so in the order of the names.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::columns::Checked;
use super::connection::{DbConnection, on_server};
use super::failure::Failure;
use super::specs::numbers;
use super::statement::statement;
use super::totals::totals_of_jobs;
use super::{Lease, Store, StoreError};
use crate::model::{JobId, JobTotals, MANAGER_DEATHS, Tally, Totals, UnitStatus, name_of_ended};

/// Rows of one name on a server.
const SHARDS: u128 = 16;
/// The row that clients add to.
const OF_CLIENTS: i64 = 0;

statement! {
    struct AddTotals {
        "INSERT INTO totals (name, shard, value) SELECT key, "
            shard: i64 as BigInt,
        [", value FROM json_each(" ", value::bigint FROM json_each_text(("] counts: String as Text,
    }
    [") WHERE true ORDER BY key ON CONFLICT (name, shard) DO UPDATE SET value = totals.value + excluded.value"
     ")::json) ORDER BY key ON CONFLICT (name, shard) DO UPDATE SET value = totals.value + excluded.value"]
}

statement! {
    struct AllTotals {}
    ["SELECT name, sum(value) FROM totals GROUP BY name" "SELECT name, sum(value)::bigint FROM totals GROUP BY name"] -> (Text, BigInt)
}

// A database of an older version has none.
statement! {
    struct AreThere {}
    ["SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'totals')" "SELECT to_regclass('totals') IS NOT NULL"] -> Bool
}

statement! {
    struct EndedIn {
        ["SELECT sum(completed), sum(failed), sum(skipped), sum(cancelled) FROM jobs WHERE id IN (SELECT value FROM json_each("
         "SELECT sum(completed)::bigint, sum(failed)::bigint, sum(skipped)::bigint, sum(cancelled)::bigint FROM jobs \
          WHERE id IN (SELECT value::bigint FROM json_array_elements_text(("] jobs: String as Text,
    }
    ["))" ")::json))"] -> (Nullable<BigInt>, Nullable<BigInt>, Nullable<BigInt>, Nullable<BigInt>)
}

impl Store {
    /// Returns what has happened in the database since it was made, and the jobs that are there by state. Of a database of an older
    /// version only what its jobs tell.
    pub fn totals(&mut self) -> Result<(Totals, Vec<JobTotals>), StoreError> {
        // At one moment: what a deletion moves from one to the other would be counted twice.
        self.read("add everything up", |conn| {
            let jobs = totals_of_jobs(conn)?;
            let rows: Vec<(Checked<String>, i64)> =
                if (AreThere {}).get_result(conn)? { (AllTotals {}).load(conn)? } else { Vec::new() };
            let known =
                |(name, value): (Checked<String>, i64)| Some((name.known()?.clone(), u64::try_from(value).ok()?));
            let counts: BTreeMap<String, u64> = rows.into_iter().filter_map(known).collect();
            let ended_now = |status: UnitStatus| {
                let by_state = jobs.iter().flat_map(|jobs| jobs.units.by_state());
                by_state.filter(|(state, _)| *state == status).map(|(_, count)| count.unsigned_abs()).sum()
            };
            Ok((Totals::of(&counts, ended_now), jobs))
        })
    }
}

/// Adds what a manager has counted since it last did, inside a transaction.
pub(super) fn add_tally(conn: &mut DbConnection, lease: Lease, tally: &Tally) -> Result<(), Failure> {
    let shard = if on_server(conn) { (lease.manager.as_u128() % SHARDS) as i64 } else { OF_CLIENTS };
    add(conn, shard, &tally.counts())
}

/// Counts managers that have died, inside the transaction that records that.
pub(super) fn add_deaths(conn: &mut DbConnection, deaths: usize) -> Result<(), Failure> {
    add(conn, OF_CLIENTS, &BTreeMap::from([(MANAGER_DEATHS.to_owned(), deaths as u64)]))
}

/// Keeps the count of units that leave a state at which units end, inside the transaction that moves them.
pub(super) fn keep_left(conn: &mut DbConnection, state: UnitStatus, units: usize) -> Result<(), Failure> {
    if !state.is_terminal() {
        return Ok(());
    }
    add(conn, OF_CLIENTS, &BTreeMap::from([(name_of_ended(state), units as u64)]))
}

/// Keeps the counts of units that have ended in jobs, inside the transaction that hides the jobs.
pub(super) fn keep_ended(conn: &mut DbConnection, jobs: &[JobId]) -> Result<(), Failure> {
    let (completed, failed, skipped, cancelled): (Option<i64>, Option<i64>, Option<i64>, Option<i64>) =
        EndedIn { jobs: numbers(jobs) }.get_result(conn)?;
    let of = |state, count: Option<i64>| (name_of_ended(state), u64::try_from(count.unwrap_or(0)).unwrap_or(0));
    let counts = [
        of(UnitStatus::Completed, completed),
        of(UnitStatus::Failed, failed),
        of(UnitStatus::Skipped, skipped),
        of(UnitStatus::Cancelled, cancelled),
    ];
    add(conn, OF_CLIENTS, &counts.into())
}

fn add(conn: &mut DbConnection, shard: i64, counts: &BTreeMap<String, u64>) -> Result<(), Failure> {
    let counts: BTreeMap<&String, &u64> = counts.iter().filter(|(_, count)| **count > 0).collect();
    if !counts.is_empty() {
        let counts = serde_json::to_string(&counts).expect("numbers are JSON");
        AddTotals { shard, counts }.execute(conn)?;
    }
    Ok(())
}
