//! The lease of a manager: until when it may own anything, by the clock of the server.

use std::time::Duration;

use diesel::prelude::*;
use diesel::query_builder::Query;
use diesel::sql_types::{BigInt, Bool, Double, Text};

use super::ranges;
use crate::model::{Heartbeat, JobId, Timestamp};
use crate::store::Lease;
use crate::store::connection::DbConnection;
use crate::store::failure::Failure;
use crate::store::statement::statement;

/// How long a manager that is not heard of keeps what it owns.
fn length() -> Duration {
    #[cfg(feature = "crash-points")]
    if let Ok(length) = std::env::var("JOB_MANAGER_TEST_LEASE_MS") {
        return Duration::from_millis(length.parse().expect("milliseconds"));
    }
    Duration::from_secs(60)
}

statement! {
    struct Renew {
        "UPDATE managers SET lease_until = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint + " length: i64 as BigInt,
        ", heartbeat_at = (extract(epoch FROM clock_timestamp()) * 1000000)::bigint WHERE state = 'live' AND uid = " uid: String as Text,
    }
    ""
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
    struct LoseHere<'a> {
        "UPDATE managers SET state = 'lost', ended_at = heartbeat_at WHERE state = 'live' AND job_id = " job: i64 as BigInt,
        " AND database = " database: &'a str as Text,
    }
    " RETURNING uid"
}

impl Query for LoseHere<'_> {
    type SqlType = Text;
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

statement! {
    struct Rest {
        "SELECT lease_until - (extract(epoch FROM clock_timestamp()) * 1000000)::bigint FROM managers WHERE state = 'live' AND uid = "
            uid: String as Text,
    }
    "" -> BigInt
}

statement! { struct Time {} "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint" -> BigInt }

/// Returns the time by the clock of the server.
pub(in crate::store) fn time(conn: &mut DbConnection) -> Result<Timestamp, Failure> {
    Ok(Timestamp::from_micros(Time {}.get_result(conn)?))
}

/// Returns `true` if a lease is to be renewed.
///
/// # Errors
/// When it is over.
pub(in crate::store) fn is_due(conn: &mut DbConnection, lease: Lease) -> Result<bool, Failure> {
    let rest: Option<i64> = Rest { uid: lease.manager.to_string() }.get_result(conn).optional()?;
    let rest = Duration::from_micros(rest.ok_or(lease.fenced())?.try_into().unwrap_or(0));
    Ok(rest < length() - length() / 6)
}

/// Renews a lease.
///
/// # Errors
/// When it is over: what the transaction has written so far must be undone.
pub(in crate::store) fn renew(conn: &mut DbConnection, lease: Lease) -> Result<(), Failure> {
    let length = i64::try_from(length().as_micros()).expect("a lease fits");
    match (Renew { length, uid: lease.manager.to_string() }).execute(conn)? {
        0 => Err(lease.fenced().into()),
        _ => Ok(()),
    }
}

/// Writes a heartbeat.
pub(in crate::store) fn beat(conn: &mut DbConnection, lease: Lease, heartbeat: &Heartbeat) -> Result<(), Failure> {
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let (workers, running) = (count(heartbeat.workers), count(heartbeat.running));
    Beat { workers, running, rate: heartbeat.rate_per_second, uid: lease.manager.to_string() }.execute(conn)?;
    Ok(())
}

/// Records as lost the managers of a job whose lease is over, and gives back what they owned.
pub(in crate::store) fn lose_expired(conn: &mut DbConnection, job: JobId) -> Result<(), Failure> {
    let lost: Vec<String> = Lose { job: job.0 }.load(conn)?;
    ranges::give_back(conn, &lost)
}

/// Records as lost the managers of a job that ran at the place of one that begins: there is one at a time.
pub(in crate::store) fn lose_here(conn: &mut DbConnection, job: JobId, database: &str) -> Result<(), Failure> {
    let lost: Vec<String> = LoseHere { job: job.0, database }.load(conn)?;
    ranges::give_back(conn, &lost)?;
    lose_expired(conn, job)
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
