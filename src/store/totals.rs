//! Sums over all jobs.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::columns::{Checked, Json, Word};
use super::connection::DbConnection;
use super::failure::Failure;
#[cfg(feature = "postgres")]
use super::postgres;
use super::statement::statement;
use super::{Store, StoreError};
use crate::model::{JobId, JobStatus, JobTotals, Limits, Progress, StopRequest, Timestamp, UnendedJobs};

type TotalsColumns = (Text, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt);
type TotalsRow = (Checked<Word<JobStatus>>, i64, i64, i64, i64, i64, i64, i64, i64);

const TOTALS: &str = "SELECT status, count(*), sum(total), sum(pending), sum(running), sum(completed), sum(failed), sum(skipped), \
     sum(cancelled) FROM jobs WHERE status <> 'partial' GROUP BY status";
#[cfg(feature = "postgres")]
const TOTALS_ON_POSTGRES: &str = concat!(
    "SELECT status, count(*), sum(total)::bigint, sum(jobs.pending + coalesce(shifts.pending, 0))::bigint, \
     sum(jobs.running + coalesce(shifts.running, 0))::bigint, sum(jobs.completed + coalesce(shifts.completed, 0))::bigint, \
     sum(jobs.failed + coalesce(shifts.failed, 0))::bigint, sum(jobs.skipped + coalesce(shifts.skipped, 0))::bigint, \
     sum(jobs.cancelled + coalesce(shifts.cancelled, 0))::bigint FROM jobs LEFT JOIN (SELECT job_id, sum(pending) AS pending, \
     sum(running) AS running, sum(completed) AS completed, sum(failed) AS failed, sum(skipped) AS skipped, \
     sum(cancelled) AS cancelled FROM ",
    postgres::moved!(),
    " GROUP BY job_id) AS shifts ON job_id = id WHERE status <> 'partial' GROUP BY status"
);

statement! {
    // A server's sum of numbers of 64 bits is wider than those.
    struct Totals {}
    [TOTALS TOTALS_ON_POSTGRES] -> TotalsColumns
}

impl Store {
    /// Returns for each state that jobs are in how many there are, and the sum of their counters; jobs in states that this version does
    /// not know are omitted, [`Store::jobs`] names them.
    pub fn job_totals(&mut self) -> Result<Vec<JobTotals>, StoreError> {
        self.read("add jobs up", totals_of_jobs)
    }
}

/// Returns the same inside a transaction.
pub(super) fn totals_of_jobs(conn: &mut DbConnection) -> Result<Vec<JobTotals>, Failure> {
    Ok(Totals {}.load(conn)?.into_iter().filter_map(totals).collect())
}

statement! {
    struct LastSuccesses {
        "SELECT name, max(finished_at) AS latest FROM jobs WHERE status = 'completed' AND finished_at IS NOT NULL GROUP BY name \
         ORDER BY latest DESC, name LIMIT " most: i64 as BigInt,
    }
    "" -> (Text, BigInt)
}

impl Store {
    /// Returns the names of jobs that have completed, each with when the last one of that name did, the latest first; names that cannot
    /// be read are omitted, [`Store::jobs`] names them.
    pub fn last_successes(&mut self, most: i64) -> Result<Vec<(String, Timestamp)>, StoreError> {
        self.read("look for jobs that have completed", |conn| {
            let rows: Vec<(Checked<String>, i64)> = LastSuccesses { most }.load(conn)?;
            let known = |(name, at): (Checked<String>, i64)| Some((name.known()?.clone(), Timestamp::from_micros(at)));
            Ok(rows.into_iter().filter_map(known).collect())
        })
    }
}

statement! {
    struct Unended {}
    "SELECT id, status, stop_request, limits FROM jobs WHERE finished_at IS NULL AND status NOT IN ('partial', 'completed', 'failed', 'cancelled') \
     ORDER BY id DESC" -> (BigInt, Text, Nullable<Text>, Text)
}
type UnendedRow = (i64, Checked<Word<JobStatus>>, Option<Checked<Word<StopRequest>>>, Checked<String>);

impl Store {
    /// Returns the jobs that have not ended, the newest first, with their states, and how many more of them cannot be read.
    pub fn unended_jobs(&mut self) -> Result<UnendedJobs, StoreError> {
        self.read("look for jobs that have not ended", |conn| {
            let mut found = UnendedJobs::default();
            // Most jobs have the same limits.
            let mut known: HashMap<String, bool> = HashMap::new();
            for (id, status, request, limits) in (Unended {}).load::<UnendedRow>(conn)? {
                let limits = limits.shown();
                let has_limits = known.get(limits).copied().unwrap_or_else(|| {
                    let has_limits = Checked::<Json<Limits>>::of_text(limits).known().is_some();
                    known.insert(limits.to_owned(), has_limits);
                    has_limits
                });
                let is_sound = has_limits && request.is_none_or(|request| request.known().is_some());
                match status.known().filter(|_| is_sound) {
                    Some(Word(status)) => found.jobs.push((JobId(id), *status)),
                    None => found.unreadable += 1,
                }
            }
            Ok(found)
        })
    }
}

fn totals(
    (status, jobs, total, pending, running, completed, failed, skipped, cancelled): TotalsRow,
) -> Option<JobTotals> {
    let units = Progress { total, pending, running, completed, failed, skipped, cancelled };
    Some(JobTotals { status: status.known()?.0, jobs, units })
}
