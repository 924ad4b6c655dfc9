//! What managers that are gone have left: it stays theirs until it is given away, so that nobody runs it while they may.

use diesel::prelude::*;
use diesel::query_builder::Query;
use diesel::sql_types::{BigInt, Text};

use crate::model::{JobId, ProcessIdentity};
use crate::store::Lease;
use crate::store::connection::DbConnection;
use crate::store::failure::Failure;
use crate::store::statement::statement;
use crate::store::tallies::add_deaths;

/// Where the caller is: what this machine keeps about the database, and the machine. It is another one where both its boot and its
/// name are others. Known weakness: of machines that were made alike and have one name, what a lost one had may be adopted by another.
#[derive(Clone, Copy)]
pub(in crate::store) struct Here<'a> {
    /// Text of the marker.
    pub database: &'a str,
    /// A process of the machine.
    pub host: &'a ProcessIdentity,
}

statement! {
    struct Adopt<'a> {
        "UPDATE ranges SET manager = " manager: String as Text,
        " WHERE job_id = " job: i64 as BigInt,
        " AND manager IN (SELECT uid FROM managers WHERE state <> 'live' AND job_id = " of: i64 as BigInt,
        " AND database = " database: &'a str as Text,
        " AND (boot_id = " boot_id: &'a str as Text,
        " OR host = " host: &'a str as Text,
    }
    "))"
}

statement! {
    struct GiveBackHere<'a> {
        "UPDATE ranges SET manager = NULL WHERE job_id = " job: i64 as BigInt,
        " AND manager IN (SELECT uid FROM managers WHERE state <> 'live' AND job_id = " of: i64 as BigInt,
        " AND database = " database: &'a str as Text,
        " AND (boot_id = " boot_id: &'a str as Text,
        " OR host = " host: &'a str as Text,
    }
    "))"
}

statement! {
    struct LoseHost<'a> {
        "UPDATE managers SET state = 'lost', ended_at = heartbeat_at, reason = 'its host is dead' WHERE state = 'live' AND job_id = " job: i64 as BigInt,
        " AND host = " host: &'a str as Text,
    }
    ""
}

statement! {
    struct GiveBackOfHost<'a> {
        "UPDATE ranges SET manager = NULL WHERE job_id = " job: i64 as BigInt,
        " AND manager IN (SELECT uid FROM managers WHERE state <> 'live' AND job_id = " of: i64 as BigInt,
        " AND host = " host: &'a str as Text,
    }
    ")"
}

statement! {
    struct JobsOfHost<'a> {
        "SELECT DISTINCT job_id FROM managers WHERE (state = 'live' OR EXISTS (SELECT 1 FROM ranges WHERE ranges.manager = managers.uid)) \
         AND host = " host: &'a str as Text,
    }
    " ORDER BY job_id"
}

impl Query for JobsOfHost<'_> {
    type SqlType = BigInt;
}

/// Has a manager that begins own what those before it at its place have left, until it has ended their processes.
pub(in crate::store) fn adopt(conn: &mut DbConnection, lease: Lease, here: Here<'_>) -> Result<(), Failure> {
    let (job, Here { database, host: ProcessIdentity { boot_id, host, .. } }) = (lease.job.0, here);
    Adopt { manager: lease.manager.to_string(), job, of: job, database, boot_id, host }.execute(conn)?;
    Ok(())
}

/// Gives back what managers of a job at one place have left.
pub(in crate::store) fn give_back_here(conn: &mut DbConnection, job: JobId, here: Here<'_>) -> Result<(), Failure> {
    let Here { database, host: ProcessIdentity { boot_id, host, .. } } = here;
    GiveBackHere { job: job.0, of: job.0, database, boot_id, host }.execute(conn)?;
    Ok(())
}

/// Records as lost the managers of a job on a host, and gives back what it had; returns `true` if there was any of that.
pub(in crate::store) fn lose_host(conn: &mut DbConnection, job: JobId, host: &str) -> Result<bool, Failure> {
    let lost = LoseHost { job: job.0, host }.execute(conn)?;
    add_deaths(conn, lost)?;
    let ranges = GiveBackOfHost { job: job.0, of: job.0, host }.execute(conn)?;
    Ok(lost + ranges > 0)
}

/// Returns the jobs of which a host has a manager that has not ended, or units of one that has.
pub(in crate::store) fn jobs_of_host(conn: &mut DbConnection, host: &str) -> Result<Vec<JobId>, Failure> {
    let jobs: Vec<i64> = JobsOfHost { host }.load(conn)?;
    Ok(jobs.into_iter().map(JobId).collect())
}
