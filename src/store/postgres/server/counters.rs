//! Whether the counters of jobs are those of their units, which no rule of the tables can say.

use diesel::PgConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::BigInt;

use crate::model::JobId;

/// What a comparison of counters with units came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CounterCheck {
    /// Jobs whose counters are not those of their units.
    pub wrong: Vec<JobId>,
    /// Older jobs that were not looked at, because counting their units takes too long.
    pub omitted: i64,
}

#[derive(QueryableByName)]
struct Job {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

#[derive(QueryableByName)]
struct Omitted {
    #[diesel(sql_type = BigInt)]
    omitted: i64,
}

/// The newest jobs, with as many units as are counted in about a second.
const LOOKED_AT: &str = "
WITH looked_at AS (
    SELECT * FROM (SELECT *, sum(total) OVER (ORDER BY id DESC) AS so_far FROM (SELECT id, job_counters.* FROM jobs
            JOIN ({of_jobs}) AS job_counters ON job_id = id WHERE status <> 'partial') AS visible) AS jobs
     WHERE so_far <= 1000000)";

const WRONG: &str = "
SELECT id FROM looked_at CROSS JOIN LATERAL (
    SELECT count(*) AS total,
           count(*) FILTER (WHERE status = 'pending') AS pending,
           count(*) FILTER (WHERE status = 'running') AS running,
           count(*) FILTER (WHERE status = 'completed') AS completed,
           count(*) FILTER (WHERE status = 'failed') AS failed,
           count(*) FILTER (WHERE status = 'skipped') AS skipped,
           count(*) FILTER (WHERE status = 'cancelled') AS cancelled
      FROM units WHERE units.id >= looked_at.id << 32 AND units.id < (looked_at.id + 1) << 32) AS counted
 WHERE (counted.total, counted.pending, counted.running, counted.completed, counted.failed, counted.skipped, counted.cancelled)
    <> (looked_at.total, looked_at.pending, looked_at.running, looked_at.completed, looked_at.failed, looked_at.skipped,
        looked_at.cancelled)
 ORDER BY id";

const OMITTED: &str =
    "SELECT (SELECT count(*) FROM jobs WHERE status <> 'partial') - (SELECT count(*) FROM looked_at) AS omitted";

/// Whether jobs have counters beside those in their rows; those of schema 8 have not.
const HAS_SHIFTS: &str = "SELECT count(to_regclass('job_counters')) AS id";

/// Compares the counters of the newest jobs with their units, on the snapshot of the transaction.
pub(in crate::store) fn counters(conn: &mut PgConnection) -> QueryResult<CounterCheck> {
    let has_shifts = sql_query(HAS_SHIFTS).get_result::<Job>(conn)?.id > 0;
    let of_jobs = if has_shifts {
        "SELECT * FROM job_counters"
    } else {
        "SELECT id AS job_id, total, pending, running, completed, failed, skipped, cancelled FROM jobs"
    };
    let looked_at = LOOKED_AT.replace("{of_jobs}", of_jobs);
    let wrong: Vec<Job> = sql_query(format!("{looked_at}{WRONG}")).load(conn)?;
    let Omitted { omitted } = sql_query(format!("{looked_at} {OMITTED}")).get_result(conn)?;
    Ok(CounterCheck { wrong: wrong.into_iter().map(|job| JobId(job.id)).collect(), omitted })
}
