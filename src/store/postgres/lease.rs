//! The lease of a manager: until when it may own anything, by the clock of the server.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Double, Text};

use super::{Here, ranges};
use crate::model::{Heartbeat, JobId, JobStatus, Limits, OnHostLoss, Row, Timestamp, UnitStatus, Unreadable};
use crate::store::Lease;
use crate::store::columns::{Checked, Word};
use crate::store::connection::DbConnection;
use crate::store::counters::Counters;
use crate::store::failure::Failure;
use crate::store::statement::statement;
use crate::store::tallies::add_deaths;

/// Returns how long a manager of a job that is not heard of keeps what it owns.
pub(in crate::store) fn lease_length(limits: &Limits) -> Duration {
    #[cfg(feature = "crash-points")]
    if let Ok(length) = std::env::var("JOB_MANAGER_TEST_LEASE_MS") {
        return Duration::from_millis(length.parse().expect("milliseconds"));
    }
    limits.lease_length()
}

statement! {
    struct Renew {
        "UPDATE managers SET lease_until = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + " length: i64 as BigInt,
        ", heartbeat_at = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint WHERE state = 'live' AND uid = " uid: String as Text,
    }
    " RETURNING heartbeat_at" -> BigInt
}

statement! {
    // The others' failures as of the statement's beginning: those that are being recorded now are counted by who records them.
    struct Count {
        "UPDATE managers SET lease_until = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + " length: i64 as BigInt,
        ", heartbeat_at = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, pending_shift = pending_shift + " pending: i64 as BigInt,
        ", running_shift = running_shift + " running: i64 as BigInt,
        ", completed_shift = completed_shift + " completed: i64 as BigInt,
        ", failed_shift = failed_shift + " failed: i64 as BigInt,
        ", skipped_shift = skipped_shift + " skipped: i64 as BigInt,
        ", cancelled_shift = cancelled_shift + " cancelled: i64 as BigInt,
        ", failures_shift = failures_shift + " failures: i64 as BigInt,
        " FROM jobs WHERE state = 'live' AND jobs.id = job_id AND managers.uid = " uid: String as Text,
    }
    " RETURNING jobs.status, jobs.failures + failures_shift + coalesce((SELECT sum(other.failures_shift) FROM managers AS other \
     WHERE other.state = 'live' AND other.job_id = jobs.id AND other.uid <> managers.uid), 0)::bigint, heartbeat_at" -> (Text, BigInt, BigInt)
}

statement! {
    // By the clock of the server, as whoever asks how long it has been silent.
    struct Beat {
        "UPDATE managers SET heartbeat_at = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, workers = " workers: i64 as BigInt,
        ", running = " running: i64 as BigInt,
        ", rate = " rate: f64 as Double,
        " WHERE state = 'live' AND uid = " uid: String as Text,
    }
    ""
}

statement! {
    struct Lose {
        "UPDATE managers SET state = 'lost', ended_at = heartbeat_at, reason = 'its lease ended' WHERE state = 'live' AND job_id = " job: i64 as BigInt,
    }
    " AND lease_until < (extract(epoch FROM clock_timestamp()) * 1000000)::bigint RETURNING uid" -> Text
}

statement! {
    // Machines that were made alike have files of the same number and name. On one that has booted since nobody lives, but that cannot
    // be told from another machine of its name: the lease tells.
    struct LoseHere<'a> {
        "UPDATE managers SET state = 'lost', ended_at = heartbeat_at WHERE state = 'live' AND job_id = " job: i64 as BigInt,
        " AND database = " database: &'a str as Text,
        " AND boot_id = " boot_id: &'a str as Text,
    }
    ""
}

statement! {
    struct OthersLive {
        "SELECT EXISTS (SELECT 1 FROM managers WHERE state = 'live' AND job_id = " job: i64 as BigInt,
        " AND uid <> " uid: String as Text,
    }
    " AND lease_until >= (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)" -> Bool
}

statement! {
    struct WasFollowed {
        "SELECT EXISTS (SELECT 1 FROM managers AS own JOIN managers AS other ON other.job_id = own.job_id \
         AND other.started_at > own.ended_at WHERE own.uid = " uid: String as Text,
    }
    ")" -> Bool
}

#[cfg(feature = "postgres")]
statement! {
    struct IsBefore {
        "SELECT EXISTS (SELECT 1 FROM managers WHERE uid = " uid: String as Text,
        " AND heartbeat_at < " left: i64 as BigInt,
    }
    ")" -> Bool
}

statement! {
    struct HasLeft {
        "SELECT EXISTS (SELECT 1 FROM managers WHERE state = 'left' AND uid = " uid: String as Text,
    }
    ")" -> Bool
}

statement! { struct Time {} "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint" -> BigInt }

/// Returns the time by the clock of the server.
pub(in crate::store) fn time(conn: &mut DbConnection) -> Result<Timestamp, Failure> {
    Ok(Timestamp::from_micros(Time {}.get_result(conn)?))
}

/// Renews a lease for that long, and returns when that was; none when it is over, and what the transaction has written so far must be
/// undone.
pub(in crate::store) fn renew(
    conn: &mut DbConnection,
    lease: Lease,
    length: Duration,
) -> Result<Option<Timestamp>, Failure> {
    let length = i64::try_from(length.as_micros()).expect("a lease fits");
    let at: Option<i64> = Renew { length, uid: lease.manager.to_string() }.get_result(conn).optional()?;
    Ok(at.map(Timestamp::from_micros))
}

/// Returns `true` if the row of a manager is older than what it has written there before: the database is one of an earlier time.
#[cfg(feature = "postgres")]
pub(in crate::store) fn was_set_back(conn: &mut DbConnection, lease: Lease, left: Timestamp) -> Result<bool, Failure> {
    Ok(IsBefore { uid: lease.manager.to_string(), left: left.as_micros() }.get_result(conn)?)
}

/// Renews a lease for that long and counts what its manager's units have moved; returns the state of the job, how many of its
/// units have failed since its latest start, and when that was. None when the lease is over.
pub(in crate::store) fn count(
    conn: &mut DbConnection,
    lease: Lease,
    counters: &Counters,
    length: Duration,
) -> Result<Option<(JobStatus, u64, Timestamp)>, Failure> {
    let failed = counters.of(UnitStatus::Failed);
    let count = Count {
        length: i64::try_from(length.as_micros()).expect("a lease fits"),
        pending: counters.of(UnitStatus::Pending),
        running: counters.of(UnitStatus::Running),
        completed: counters.of(UnitStatus::Completed),
        failed,
        skipped: counters.of(UnitStatus::Skipped),
        cancelled: counters.of(UnitStatus::Cancelled),
        failures: failed.max(0),
        uid: lease.manager.to_string(),
    };
    let counted: Option<(Checked<Word<JobStatus>>, i64, i64)> = count.get_result(conn).optional()?;
    let row = Row::Job(lease.job);
    let read = |(status, failures, at): (Checked<Word<JobStatus>>, i64, i64)| -> Result<_, Unreadable> {
        Ok((status.of(row, "status")?.0, failures.unsigned_abs(), Timestamp::from_micros(at)))
    };
    Ok(counted.map(read).transpose()?)
}

/// Returns `true` if the manager has recorded that it left the job.
pub(in crate::store) fn has_left(conn: &mut DbConnection, lease: Lease) -> Result<bool, Failure> {
    Ok(HasLeft { uid: lease.manager.to_string() }.get_result(conn)?)
}

/// Writes a heartbeat.
pub(in crate::store) fn beat(conn: &mut DbConnection, lease: Lease, heartbeat: &Heartbeat) -> Result<(), Failure> {
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let (workers, running) = (count(heartbeat.workers), count(heartbeat.running));
    Beat { workers, running, rate: heartbeat.rate_per_second, uid: lease.manager.to_string() }.execute(conn)?;
    Ok(())
}

/// Records as lost the managers of a job whose lease is over, and gives back what they owned, unless that waits for their hosts.
pub(in crate::store) fn lose_expired(conn: &mut DbConnection, job: JobId, on_loss: OnHostLoss) -> Result<(), Failure> {
    let lost: Vec<String> = Lose { job: job.0 }.load(conn)?;
    add_deaths(conn, lost.len())?;
    match on_loss {
        OnHostLoss::Retry => ranges::give_back(conn, &lost),
        OnHostLoss::Wait => Ok(()),
    }
}

/// Records as lost the managers of a job that ran at a place where the caller keeps others from running, since its machine has
/// booted. They keep what they owned until somebody takes it.
pub(in crate::store) fn lose_here(
    conn: &mut DbConnection,
    job: JobId,
    here: Here<'_>,
    on_loss: OnHostLoss,
) -> Result<(), Failure> {
    let lost = LoseHere { job: job.0, database: here.database, boot_id: &here.host.boot_id }.execute(conn)?;
    add_deaths(conn, lost)?;
    lose_expired(conn, job, on_loss)
}

/// Returns `true` if the job has other managers that have not left it. The caller has locked its row, so that none of them leaves,
/// and none joins, meanwhile.
pub(in crate::store) fn others_go_on(conn: &mut DbConnection, lease: Lease) -> Result<bool, Failure> {
    Ok(OthersLive { job: lease.job.0, uid: lease.manager.to_string() }.get_result(conn)?)
}

/// Returns `true` if another manager has begun since a lease ended.
pub(in crate::store) fn was_followed(conn: &mut DbConnection, lease: Lease) -> Result<bool, Failure> {
    Ok(WasFollowed { uid: lease.manager.to_string() }.get_result(conn)?)
}
