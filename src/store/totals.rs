//! Sums over all jobs.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::columns::{Checked, Json, Word};
use super::statement::statement;
use super::{Store, StoreError};
use crate::model::{JobStatus, JobTotals, Limits, Progress, StopRequest};

type TotalsColumns = (Text, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt);
type TotalsRow = (Checked<Word<JobStatus>>, i64, i64, i64, i64, i64, i64, i64, i64);

statement! {
    struct Totals {}
    "SELECT status, count(*), sum(total), sum(pending), sum(running), sum(completed), sum(failed), sum(skipped), \
     sum(cancelled) FROM jobs WHERE status <> 'partial' GROUP BY status" -> TotalsColumns
}

impl Store {
    /// Returns for each state that jobs are in how many there are, and the sum of their counters; jobs in states that this version does
    /// not know are omitted, [`Store::jobs`] names them.
    pub fn job_totals(&mut self) -> Result<Vec<JobTotals>, StoreError> {
        self.read("add jobs up", |conn| Ok(Totals {}.load(conn)?.into_iter().filter_map(totals).collect()))
    }
}

statement! {
    struct Checkable {}
    "SELECT status, stop_request, limits FROM jobs WHERE status NOT IN ('partial', 'completed', 'failed', 'cancelled')"
        -> (Text, Nullable<Text>, Text)
}
type CheckableRow = (Checked<Word<JobStatus>>, Option<Checked<Word<StopRequest>>>, String);

impl Store {
    /// Returns how many of the jobs that have not ended cannot be read.
    pub fn count_unreadable_jobs(&mut self) -> Result<usize, StoreError> {
        self.read("look for jobs that cannot be read", |conn| {
            // Most jobs have the same limits.
            let mut known: HashMap<String, bool> = HashMap::new();
            let is_sound = |(status, stop_request, limits): CheckableRow| {
                let is_read = known.get(&limits).copied().unwrap_or_else(|| {
                    let is_read = Checked::<Json<Limits>>::of_text(&limits).known().is_some();
                    known.insert(limits, is_read);
                    is_read
                });
                is_read && status.known().is_some() && stop_request.is_none_or(|request| request.known().is_some())
            };
            let rows: Vec<CheckableRow> = Checkable {}.load(conn)?;
            Ok(rows.len() - rows.into_iter().map(is_sound).filter(|is_sound| *is_sound).count())
        })
    }
}

fn totals(
    (status, jobs, total, pending, running, completed, failed, skipped, cancelled): TotalsRow,
) -> Option<JobTotals> {
    let units = Progress { total, pending, running, completed, failed, skipped, cancelled };
    Some(JobTotals { status: status.known()?.0, jobs, units })
}
