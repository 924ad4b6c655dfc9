//! Counters of a job that several managers move at the same time, each in its own row.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::model::{JobId, Progress};
use crate::store::connection::DbConnection;
use crate::store::failure::Failure;
use crate::store::specs::numbers;
use crate::store::statement::statement;

type Sums = (BigInt, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt);

statement! {
    struct Settle {
        "WITH moved AS (SELECT job_id, sum(pending_shift) AS pending, sum(running_shift) AS running, sum(completed_shift) AS completed, \
         sum(failed_shift) AS failed, sum(skipped_shift) AS skipped, sum(cancelled_shift) AS cancelled, sum(failures_shift) AS failures \
         FROM managers WHERE state = 'live' AND (pending_shift <> 0 OR running_shift <> 0 OR failures_shift <> 0 OR completed_shift <> 0 \
         OR failed_shift <> 0 OR skipped_shift <> 0 OR cancelled_shift <> 0) AND job_id = " job: i64 as BigInt,
        " GROUP BY job_id), settled AS (UPDATE managers SET pending_shift = 0, running_shift = 0, completed_shift = 0, failed_shift = 0, \
         skipped_shift = 0, cancelled_shift = 0, failures_shift = 0 WHERE state = 'live' AND job_id IN (SELECT job_id FROM moved)) \
         UPDATE jobs SET pending = jobs.pending + moved.pending, running = jobs.running + moved.running, \
         completed = jobs.completed + moved.completed, failed = jobs.failed + moved.failed, skipped = jobs.skipped + moved.skipped, \
         cancelled = jobs.cancelled + moved.cancelled, failures = jobs.failures + moved.failures \
         FROM moved WHERE jobs.id = moved.job_id AND jobs.id = " id: i64 as BigInt,
    }
    ""
}

/// What live managers have moved, as a part of a FROM. The tables of schema 8 have no such columns: the names are those of nothing then.
macro_rules! moved {
    () => {
        "(VALUES (0, 0, 0, 0, 0, 0)) AS nothing (pending_shift, running_shift, completed_shift, failed_shift, skipped_shift, \
         cancelled_shift) CROSS JOIN LATERAL (SELECT job_id, pending_shift AS pending, running_shift AS running, \
         completed_shift AS completed, failed_shift AS failed, skipped_shift AS skipped, cancelled_shift AS cancelled \
         FROM managers WHERE state = 'live') AS moved"
    };
}
#[cfg(feature = "postgres")]
pub(in crate::store) use moved;

const SUMS_OF: &str = concat!(
    "SELECT job_id, sum(pending)::bigint, sum(running)::bigint, sum(completed)::bigint, sum(failed)::bigint, \
     sum(skipped)::bigint, sum(cancelled)::bigint FROM ",
    moved!(),
    " WHERE job_id IN (SELECT value::bigint FROM json_array_elements_text(("
);

statement! { struct SumsOf { SUMS_OF jobs: String as Text, } ")::json)) GROUP BY job_id" -> Sums }

/// Adds to the row of a job what its managers have moved since this was last done. The caller has the job alone.
pub(super) fn settle(conn: &mut DbConnection, job: JobId) -> Result<(), Failure> {
    Settle { job: job.0, id: job.0 }.execute(conn)?;
    Ok(())
}

/// Adds to the counters of jobs, as their rows have them, what their managers have moved since.
pub(in crate::store) fn add_up<'a>(
    conn: &mut DbConnection,
    jobs: impl Iterator<Item = (JobId, &'a mut Progress)>,
) -> Result<(), Failure> {
    let mut jobs: Vec<_> = jobs.collect();
    if jobs.is_empty() {
        return Ok(());
    }
    let ids: Vec<JobId> = jobs.iter().map(|(job, _)| *job).collect();
    for (job, pending, running, completed, failed, skipped, cancelled) in
        (SumsOf { jobs: numbers(&ids) }).load::<(i64, i64, i64, i64, i64, i64, i64)>(conn)?
    {
        let of_job = jobs.iter_mut().filter(|(id, _)| id.0 == job);
        of_job.for_each(|(_, progress)| {
            progress.pending += pending;
            progress.running += running;
            progress.completed += completed;
            progress.failed += failed;
            progress.skipped += skipped;
            progress.cancelled += cancelled;
        });
    }
    Ok(())
}
