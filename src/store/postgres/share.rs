//! What the managers of a job have together: failures, its rate, and workers where the job says how many those are in all.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};

use crate::model::{JobId, Share};
use crate::store::connection::DbConnection;
use crate::store::failure::Failure;
use crate::store::statement::statement;
use crate::store::{Lease, StoreError};

type ShareColumns = (BigInt, BigInt, BigInt, BigInt, Nullable<BigInt>);
type ShareRow = (i64, i64, i64, i64, Option<i64>);

statement! {
    // One that has just begun is about to claim units.
    struct ShareOf {
        "SELECT failures + coalesce(sum(failures_shift), 0)::bigint, count(*) FILTER (WHERE managers.uid IS NOT NULL), count(*) FILTER (WHERE managers.number < " before: i64 as BigInt,
        "), count(*) FILTER (WHERE managers.number <> " other: i64 as BigInt,
        " AND (managers.started_at > (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - 5000000 \
         OR EXISTS (SELECT 1 FROM ranges WHERE ranges.manager = managers.uid))), sum(granted) FILTER (WHERE managers.number = " own: i64 as BigInt,
        ")::bigint FROM jobs LEFT JOIN managers ON managers.job_id = jobs.id AND state = 'live' WHERE jobs.id = " job: i64 as BigInt,
    }
    " GROUP BY jobs.id" -> ShareColumns
}

statement! {
    // The sum stays within what there is, because who grants has locked the job.
    struct Grant {
        // What is given back is what is free, also where others have more than is left for them.
        "UPDATE managers SET granted = greatest(0, least(coalesce(granted, 0), " kept: i64 as BigInt,
        "), least(" workers: i64 as BigInt,
        ", " total: i64 as BigInt,
        " - (SELECT coalesce(sum(granted), 0) FROM managers AS other WHERE other.state = 'live' AND other.job_id = managers.job_id \
         AND other.number <> managers.number)))::bigint WHERE state = 'live' AND job_id = " job: i64 as BigInt,
        " AND number = " number: i64 as BigInt,
    }
    " RETURNING granted" -> Nullable<BigInt>
}

statement! { struct CountAgain { "UPDATE jobs SET failures = 0 WHERE id = " job: i64 as BigInt, } "" }

/// Returns what a manager has to know of the others.
pub(in crate::store) fn share(conn: &mut DbConnection, lease: Lease) -> Result<Share, Failure> {
    let number = lease.epoch.0;
    let row: Option<ShareRow> =
        ShareOf { before: number, other: number, own: number, job: lease.job.0 }.get_result(conn).optional()?;
    let (failures, managers, rank, others_at_work, granted) = row.ok_or(StoreError::JobNotFound(lease.job))?;
    let count = |count: i64| usize::try_from(count).unwrap_or(0);
    Ok(Share {
        failures: failures.unsigned_abs(),
        managers: count(managers).max(1),
        rank: count(rank),
        at_work: count(others_at_work) + 1,
        granted: count(granted.unwrap_or(0)),
    })
}

/// Gives a manager so many of the workers that the managers of its job have together, or as many as are left; returns how many. The
/// caller has locked the job.
pub(in crate::store) fn grant(conn: &mut DbConnection, lease: Lease, workers: i64, total: i64) -> Result<i64, Failure> {
    let granted: Option<Option<i64>> =
        Grant { kept: workers, workers, total, job: lease.job.0, number: lease.epoch.0 }.get_result(conn).optional()?;
    Ok(granted.flatten().ok_or(lease.fenced())?)
}

/// Forgets the failures before a start of the job.
pub(in crate::store) fn count_failures_again(conn: &mut DbConnection, job: JobId) -> Result<(), Failure> {
    CountAgain { job: job.0 }.execute(conn)?;
    Ok(())
}
