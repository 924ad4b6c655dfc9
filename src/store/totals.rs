//! Sums over all jobs.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::columns::{Checked, Word};
use super::statement::statement;
use super::{Store, StoreError};
use crate::model::{JobStatus, JobTotals, Progress};

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

fn totals(
    (status, jobs, total, pending, running, completed, failed, skipped, cancelled): TotalsRow,
) -> Option<JobTotals> {
    let units = Progress { total, pending, running, completed, failed, skipped, cancelled };
    Some(JobTotals { status: status.as_known()?.0, jobs, units })
}
