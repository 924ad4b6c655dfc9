//! Who has a lease on a job, by the clock of the server.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Double, Nullable, Text};

use crate::model::{
    DatabaseFile, Epoch, JobId, LeaseHolder, ManagerLoad, ManagerRun, ManagerState, ProcessIdentity, Seq, Timestamp,
};
use crate::store::connection::DbConnection;
use crate::store::failure::Failure;
use crate::store::specs::numbers;
use crate::store::statement::statement;

type Process = (Text, Text, BigInt, BigInt, Nullable<Text>, Nullable<Text>, Text);
type Load = (BigInt, Nullable<BigInt>, Nullable<BigInt>, Nullable<BigInt>, Nullable<Double>, BigInt, Bool);
type ProcessRow = (String, String, i64, i64, Option<String>, Option<String>, String);
type LoadRow = (i64, Option<i64>, Option<i64>, Option<i64>, Option<f64>, i64, bool);
type HolderRow = (i64, i64, ProcessRow, LoadRow);

statement! {
    struct Holders {
        "SELECT job_id, number, host, boot_id, pid, start_ticks, namespaces, database, version, heartbeat_at, started_at, workers, \
         running, rate, greatest(now - heartbeat_at, 0), lease_until >= now FROM json_array_elements_text((" jobs: String as Text,
    }
    ")::json) AS job JOIN managers ON job_id = job.value::bigint CROSS JOIN \
     (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now) AS clock WHERE state = 'live' ORDER BY number"
        -> (BigInt, BigInt, Process, Load)
}

statement! {
    struct IsHeld {
        "SELECT EXISTS (SELECT 1 FROM managers WHERE state = 'live' AND job_id = " job: i64 as BigInt,
    }
    " AND lease_until >= (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)" -> Bool
}

statement! {
    struct IsLive {
        "SELECT EXISTS (SELECT 1 FROM managers WHERE state = 'live' AND job_id = " job: i64 as BigInt,
        " AND number = " number: i64 as BigInt,
    }
    ")" -> Bool
}

statement! {
    struct OwnerOf {
        "SELECT number FROM ranges JOIN managers ON uid = manager WHERE ranges.job_id = " job: i64 as BigInt,
        " AND first <= " first: i64 as BigInt,
        " AND last >= " last: i64 as BigInt,
    }
    "" -> BigInt
}

/// Returns the managers of some jobs that have not recorded their end and that nobody has found lost.
pub(in crate::store) fn holders(
    conn: &mut DbConnection,
    jobs: &[JobId],
) -> Result<HashMap<JobId, Vec<LeaseHolder>>, Failure> {
    let mut found: HashMap<JobId, Vec<LeaseHolder>> = HashMap::new();
    if !jobs.is_empty() {
        let rows: Vec<HolderRow> = Holders { jobs: numbers(jobs) }.load(conn)?;
        rows.into_iter().for_each(|row| found.entry(JobId(row.0)).or_default().push(holder(row)));
    }
    Ok(found)
}

fn holder((_, number, process, load): HolderRow) -> LeaseHolder {
    let (host, boot_id, pid, start_ticks, namespaces, database, version) = process;
    let (heartbeat_at, started_at, workers, running, rate, silence_us, is_valid) = load;
    let run = ManagerRun {
        number: Epoch(number),
        state: ManagerState::Live,
        reason: None,
        host: host.clone(),
        pid,
        version,
        started_at: started_at.map(Timestamp::from_micros),
        heartbeat_at: Timestamp::from_micros(heartbeat_at),
        ended_at: None,
        load: Some(ManagerLoad {
            here: false,
            workers,
            running,
            rate,
            silent_s: silence_us.unsigned_abs() / 1_000_000,
        }),
    };
    LeaseHolder {
        run,
        identity: ProcessIdentity {
            pid: u32::try_from(pid).expect("the table holds process numbers only"),
            start_ticks: start_ticks.cast_unsigned(),
            boot_id,
            host,
            namespaces,
        },
        // One that cannot be read is another place's.
        database: database.as_deref().and_then(DatabaseFile::from_text),
        is_valid,
    }
}

/// Returns `true` if a manager may own something of a job. Where its row is locked, none joins meanwhile.
pub(in crate::store) fn is_held(conn: &mut DbConnection, job: JobId) -> Result<bool, Failure> {
    Ok(IsHeld { job: job.0 }.get_result(conn)?)
}

/// Returns `true` if that manager of a job has not ended.
pub(in crate::store) fn is_live(conn: &mut DbConnection, job: JobId, number: Epoch) -> Result<bool, Failure> {
    Ok(IsLive { job: job.0, number: number.0 }.get_result(conn)?)
}

/// Returns the number of the manager that answers for a unit.
pub(in crate::store) fn owner_of(conn: &mut DbConnection, job: JobId, unit: Seq) -> Result<Option<Epoch>, Failure> {
    let found: Option<i64> = OwnerOf { job: job.0, first: unit.0, last: unit.0 }.get_result(conn).optional()?;
    Ok(found.map(Epoch))
}
