//! Who runs and ran each job: one row for each manager, from the lease it acquires to the word it leaves, or never leaves.
//!
//! Whether a manager lives is seen from its lock; `live` only means that it has not said anything else.

use std::path::Path;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Nullable, Text};

use super::columns::{Checked, Word};
use super::failure::Failure;
use super::fence::Lease;
use super::metadata::{self, Texts, damaged, key};
use super::open::UserVersion;
use super::recorded::{Recorded, is_boot_id, path_of, text, whole};
use super::schema::managers;
use super::statement::statement;
use super::{Store, StoreError, former_record};
use crate::model::{
    DatabaseFile, Epoch, Heartbeat, JobId, ManagerRecord, ManagerRun, ManagerState, ProcessIdentity, RawText, Row,
    Timestamp,
};

/// The schema from which on managers have a table of their own.
const FIRST_WITH_MANAGERS: i32 = 6;

type Columns = (
    (BigInt, Text, Nullable<Text>, Text, Text, BigInt, BigInt, Nullable<Text>, Nullable<Text>),
    (Text, Nullable<Text>, Nullable<Double>, BigInt, Nullable<BigInt>, Nullable<BigInt>),
);

statement! {
    struct NewestFirst {
        "SELECT number, state, reason, host, boot_id, pid, start_ticks, namespaces, database, \
         version, program, rate, heartbeat_at, started_at, ended_at FROM managers WHERE job_id = "
            job: i64 as BigInt,
    }
    " ORDER BY number DESC" -> Columns
}

statement! {
    // The counters of the same transaction are the fence.
    struct Beat {
        "UPDATE managers SET heartbeat_at = "
            at: i64 as BigInt,
        ", workers = " workers: i64 as BigInt,
        ", running = " running: i64 as BigInt,
        ", rate = " rate: f64 as Double,
        " WHERE state = 'live' AND job_id = " job: i64 as BigInt,
        " AND number = " number: i64 as BigInt,
    }
    ""
}

statement! {
    struct End<'a> {
        "UPDATE managers SET state = "
            state: &'static str as Text,
        ", reason = " reason: &'a str as Text,
        ", ended_at = " ended_at: i64 as BigInt,
        " WHERE state = 'live' AND job_id = " job: i64 as BigInt,
        " AND number = " number: i64 as BigInt,
    }
    ""
}

statement! {
    struct Lose {
        "UPDATE managers SET state = 'lost', ended_at = heartbeat_at WHERE state = 'live' AND job_id = "
            job: i64 as BigInt,
    }
    ""
}

#[derive(Queryable)]
struct Who {
    number: i64,
    state: Checked<Word<ManagerState>>,
    reason: Option<String>,
    host: String,
    boot_id: String,
    pid: i64,
    start_ticks: i64,
    namespaces: Option<String>,
    database: Option<String>,
}

#[derive(Queryable)]
struct Life {
    version: String,
    program: Option<String>,
    rate: Option<f64>,
    heartbeat_at: i64,
    started_at: Option<i64>,
    ended_at: Option<i64>,
}

impl Store {
    /// Returns what the latest manager of a job said about itself; `None` before the first.
    ///
    /// # Errors
    /// [`StoreError::DamagedRecord`] when a part is missing or cannot be read: a guess in its place would be taken for
    /// the truth about who lives.
    pub fn manager_record(&mut self, job: JobId) -> Result<Option<ManagerRecord>, StoreError> {
        self.read("read the manager's record", |conn| record_of(conn, job))
    }

    /// Returns the managers of a job in their order. In a schema that keeps the latest one only it is that.
    pub fn managers(&mut self, job: JobId) -> Result<Vec<ManagerRun>, StoreError> {
        self.read("read who ran the job", |conn| {
            let row = super::jobs::job_row(conn, job)?;
            let rows: Vec<(Who, Life)> =
                if has_managers(conn)? { NewestFirst { job: job.0 }.load(conn)? } else { Vec::new() };
            let mut runs = rows.into_iter().rev().map(|row| run(job, row)).collect::<Result<Vec<_>, _>>()?;
            if runs.is_empty()
                && let Some(record) = record_of(conn, job)?
            {
                runs.push(former_record::run(&row, record));
            }
            Ok(runs)
        })
    }
}

/// Returns what the latest manager of a job has written about itself.
pub(super) fn record_of(conn: &mut SqliteConnection, job: JobId) -> Result<Option<ManagerRecord>, Failure> {
    let row = if has_managers(conn)? { latest(conn, job)? } else { None };
    let mut texts = Texts::of(conn, job)?;
    let recorded = match row {
        Some(row) => Some(recorded(job, row)?),
        // Of an older schema; or it could not be read when it was brought up to date.
        None => former_record::recorded(conn, job, &mut texts)?,
    };
    let Some(Recorded { identity, database, version, program, heartbeat_at, rate_per_second }) = recorded else {
        return Ok(None);
    };
    Ok(Some(ManagerRecord {
        identity,
        database,
        version,
        heartbeat_at,
        rate_per_second,
        waits: texts.read(key::WAITS, |waits| serde_json::from_str(waits).ok())?,
        program,
        callback_error: texts.take(key::CALLBACK_ERROR),
        error: texts.take(key::ERROR),
        halt_reason: texts.take(key::HALT_REASON),
        stopped_by_signal: texts.take(key::STOPPED_BY_SIGNAL).is_some(),
        stopping: texts.take(key::STOPPING),
        error_trace: texts.take(key::ERROR_TRACE),
    }))
}

/// Returns `true` if managers have a table of their own by now. Asked within the transaction that reads it: somebody may have brought
/// the database up to date since it was opened.
fn has_managers(conn: &mut SqliteConnection) -> Result<bool, Failure> {
    Ok(UserVersion {}.get_result::<i32>(conn)? >= FIRST_WITH_MANAGERS)
}

fn latest(conn: &mut SqliteConnection, job: JobId) -> Result<Option<(Who, Life)>, Failure> {
    Ok(NewestFirst { job: job.0 }.get_result(conn).optional()?)
}

/// Returns which database the latest manager of a job opened.
pub(super) fn opened_by_latest(conn: &mut SqliteConnection, job: JobId) -> Result<Option<String>, Failure> {
    Ok(latest(conn, job)?.and_then(|(who, _)| who.database))
}

/// Reads a row that others may have written: the checks of the table do not hold for everybody.
fn recorded(job: JobId, (who, life): (Who, Life)) -> Result<Recorded, Failure> {
    Ok(Recorded {
        identity: ProcessIdentity {
            pid: whole(job, "pid", who.pid, 1..=i32::MAX.into())?,
            start_ticks: whole(job, "start_ticks", who.start_ticks, 0..=i64::MAX)?,
            boot_id: text(job, "boot_id", who.boot_id, is_boot_id)?,
            host: text(job, "host", who.host, |host| !host.is_empty())?,
            namespaces: who.namespaces,
        },
        database: match who.database {
            Some(text) => Some(DatabaseFile::from_text(&text).ok_or_else(|| damaged(job, "database", Some(text)))?),
            None => None,
        },
        version: life.version,
        program: life.program.as_deref().map(path_of),
        heartbeat_at: Some(Timestamp::from_micros(life.heartbeat_at)),
        rate_per_second: life.rate,
    })
}

fn run(job: JobId, (who, life): (Who, Life)) -> Result<ManagerRun, StoreError> {
    Ok(ManagerRun {
        number: Epoch(who.number),
        state: who.state.of(Row::Job(job), "state")?.0,
        reason: who.reason,
        host: who.host,
        pid: who.pid,
        version: life.version,
        started_at: life.started_at.map(Timestamp::from_micros),
        heartbeat_at: Some(Timestamp::from_micros(life.heartbeat_at)),
        ended_at: life.ended_at.map(Timestamp::from_micros),
    })
}

/// Writes who the manager of a lease is, in place of the one before, which is lost if it has not said that it leaves.
///
/// Returns what that one recorded last: its heartbeat and the database that it opened.
pub(super) fn begin(
    conn: &mut SqliteConnection,
    lease: Lease,
    manager: &ProcessIdentity,
    database: &DatabaseFile,
    program: &Path,
    now: Timestamp,
) -> Result<Option<(Timestamp, Option<String>)>, Failure> {
    let before = latest(conn, lease.job)?;
    lose(conn, lease.job)?;
    metadata::forget_manager(conn, lease.job)?;
    diesel::insert_into(managers::table)
        .values((
            managers::job_id.eq(lease.job.0),
            managers::number.eq(lease.epoch.0),
            managers::uid.eq(uuid::Uuid::now_v7().to_string()),
            managers::state.eq(ManagerState::Live.as_str()),
            managers::host.eq(&manager.host),
            managers::boot_id.eq(&manager.boot_id),
            managers::pid.eq(i64::from(manager.pid)),
            managers::start_ticks.eq(i64::try_from(manager.start_ticks).unwrap_or(i64::MAX)),
            managers::namespaces.eq(&manager.namespaces),
            managers::database.eq(database.to_text()),
            managers::version.eq(env!("CARGO_PKG_VERSION")),
            managers::program.eq(RawText::from(program.as_os_str()).to_column()),
            managers::heartbeat_at.eq(now.as_micros()),
            managers::started_at.eq(now.as_micros()),
        ))
        .execute(conn)?;
    Ok(before.map(|(who, life)| (Timestamp::from_micros(life.heartbeat_at), who.database)))
}

/// Says that a manager lives.
pub(super) fn beat(conn: &mut SqliteConnection, lease: Lease, heartbeat: &Heartbeat) -> Result<(), Failure> {
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    Beat {
        at: heartbeat.at.as_micros(),
        workers: count(heartbeat.workers),
        running: count(heartbeat.running),
        rate: heartbeat.rate_per_second,
        job: lease.job.0,
        number: lease.epoch.0,
    }
    .execute(conn)?;
    Ok(())
}

/// Says how a manager leaves its job.
pub(super) fn end(
    conn: &mut SqliteConnection,
    lease: Lease,
    state: ManagerState,
    reason: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let (state, ended_at) = (state.as_str(), now.as_micros());
    End { state, reason, ended_at, job: lease.job.0, number: lease.epoch.0 }.execute(conn)?;
    Ok(())
}

/// Says that a manager which has not said that it leaves is gone.
pub(super) fn lose(conn: &mut SqliteConnection, job: JobId) -> Result<(), Failure> {
    Lose { job: job.0 }.execute(conn)?;
    Ok(())
}

#[cfg(test)]
mod tests;
