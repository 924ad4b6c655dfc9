//! Who runs and ran each job: one row for each manager, from the lease that it acquires to the end that it records, if it does.
//!
//! Whether a manager lives is seen from its lock; `live` only means that it has not said anything else.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::PathBuf;

use diesel::prelude::*;
use diesel::result::Error::DeserializationError;
use diesel::sql_types::Text;

use super::columns::Word;
use super::connection::{DbConnection, on_server};
use super::failure::Failure;
use super::former_record::former_row;
use super::manager_row::{ManagerColumns, ManagerRow};
use super::manager_writes::adapted_in;
use super::metadata::{Texts, damaged, key};
use super::open::UserVersion;
use super::schema::managers;
use super::specs::numbers;
use super::statement::statement;
use super::{Store, StoreError};
use crate::model::{DatabaseFile, Epoch, JobId, ManagerRecord, ManagerRun, ProcessIdentity, RawText, Timestamp};

/// The schema from which on managers have a table of their own.
const FIRST_WITH_MANAGERS: i32 = 6;

statement! {
    struct Latest {
        "SELECT job_id, number, state, reason, host, boot_id, pid, start_ticks, namespaces, database, version, program, rate, \
         heartbeat_at, started_at, ended_at FROM json_each("
            jobs: String as Text,
    }
    ") AS job CROSS JOIN managers ON job_id = job.value \
     AND number = (SELECT max(number) FROM managers AS of_job WHERE of_job.job_id = job.value)" -> ManagerColumns
}

statement! {
    // The latest at this place of the database; where none ran the job here, the latest of all.
    struct LatestHere {
        "SELECT DISTINCT ON (job_id) job_id, number, state, reason, host, boot_id, pid, start_ticks, namespaces, database, version, \
         program, rate, heartbeat_at, started_at, ended_at FROM json_array_elements_text((" jobs: String as Text,
        ")::json) AS job JOIN managers ON job_id = job.value::bigint ORDER BY job_id, coalesce(starts_with(database, " place: String as Text,
    }
    "), false) DESC, number DESC" -> ManagerColumns
}

/// The managers of a job, the latest first.
macro_rules! rows_of {
    ($job:expr) => {
        managers::table
            .filter(managers::job_id.eq($job.0))
            .order(managers::number.desc())
            .select(ManagerRow::as_select())
    };
}

impl Store {
    /// Returns what the latest manager of a job said about itself; `None` before the first.
    ///
    /// # Errors
    /// [`StoreError::DamagedRecord`] when a part is missing or cannot be read: a guess in its place would be taken for
    /// the truth about who lives.
    pub fn manager_record(&mut self, job: JobId) -> Result<Option<ManagerRecord>, StoreError> {
        let place = self.file.clone();
        self.read("read the manager's record", |conn| {
            let mut texts = Texts::of_jobs(conn, &[job])?;
            Ok(records_of(conn, &[job], &place, &mut texts)?.remove(&job).expect("one for each job")?)
        })
    }

    /// Returns the managers of a job in their order. In a schema that keeps the latest one only it is that.
    pub fn managers(&mut self, job: JobId) -> Result<Vec<ManagerRun>, StoreError> {
        self.read("read who ran the job", |conn| {
            let read = |conn: &mut DbConnection| rows_of!(job).load(conn).map_err(|error| of_row(job, error));
            let mut rows: Vec<ManagerRow> = if has_table(conn)? { read(conn)? } else { Vec::new() };
            if rows.is_empty() {
                let mut texts = Texts::of(conn, job)?;
                rows.extend(former_row(conn, job, &mut texts)?);
            }
            Ok(rows.into_iter().rev().map(run).collect())
        })
    }
}

/// What the latest manager of a job has written about itself, if it had one and that can be read.
pub(super) type Record = Result<Option<ManagerRecord>, StoreError>;

/// Returns what the latest managers of some jobs have written about themselves; takes its part of the texts about these jobs.
pub(super) fn records_of(
    conn: &mut DbConnection,
    jobs: &[JobId],
    place: &DatabaseFile,
    texts: &mut HashMap<JobId, Texts>,
) -> Result<HashMap<JobId, Record>, Failure> {
    let mut rows = if !jobs.is_empty() && has_table(conn)? { latest_of(conn, jobs, place)? } else { HashMap::new() };
    let record = |&job: &JobId| {
        let texts = texts.entry(job).or_insert_with(|| Texts::none(job));
        let row = match rows.remove(&job) {
            Some(row) => row.map(Some),
            // Of an older schema; or it could not be read when it was brought up to date.
            None => former_row(conn, job, texts),
        };
        match row.and_then(|row| row.map(|row| record(job, row, texts)).transpose()) {
            Ok(record) => Ok((job, Ok(record))),
            // It says nothing about the others.
            Err(Failure::Store(error)) => Ok((job, Err(error))),
            Err(failure) => Err(failure),
        }
    };
    jobs.iter().map(record).collect()
}

fn latest_of(
    conn: &mut DbConnection,
    jobs: &[JobId],
    place: &DatabaseFile,
) -> Result<HashMap<JobId, Result<ManagerRow, Failure>>, Failure> {
    let jobs_text = numbers(jobs);
    let rows = if on_server(conn) {
        LatestHere { jobs: jobs_text, place: format!("{}:{}:", place.device, place.inode) }.load::<ManagerRow>(conn)
    } else {
        Latest { jobs: jobs_text }.load(conn)
    };
    match rows {
        Ok(rows) => Ok(rows.into_iter().map(|row| (JobId(row.job_id), Ok(row))).collect()),
        // One by one tells which.
        Err(DeserializationError(_)) => {
            Ok(jobs.iter().filter_map(|&job| Some((job, latest(conn, job).transpose()?))).collect())
        }
        Err(error) => Err(error.into()),
    }
}

fn record(job: JobId, row: ManagerRow, texts: &mut Texts) -> Result<ManagerRecord, Failure> {
    // Others may have written it: the checks of the table do not hold for everybody.
    let part = |key, is_sound: bool, value: &dyn ToString| {
        if is_sound { Ok(()) } else { Err(damaged(job, key, Some(value.to_string()))) }
    };
    part("pid", (1..=i32::MAX.into()).contains(&row.pid), &row.pid)?;
    part("start_ticks", row.start_ticks >= 0, &row.start_ticks)?;
    part("boot_id", is_boot_id(&row.boot_id), &row.boot_id)?;
    part("host", !row.host.is_empty(), &row.host)?;
    let database = row
        .database
        .as_deref()
        .map(|text| DatabaseFile::from_text(text).ok_or_else(|| damaged(job, "database", Some(text.to_owned()))));
    Ok(ManagerRecord {
        identity: ProcessIdentity {
            pid: row.pid.try_into().expect("it is in the range of process numbers"),
            start_ticks: row.start_ticks.cast_unsigned(),
            boot_id: row.boot_id,
            host: row.host,
            namespaces: row.namespaces,
        },
        database: database.transpose()?,
        heartbeat_at: Some(Timestamp::from_micros(row.heartbeat_at)),
        rate_per_second: row.rate,
        waits: texts.read(key::WAITS, |waits| serde_json::from_str(waits).ok())?,
        adapted: adapted_in(texts),
        program: row.program.map(|path| PathBuf::from(OsString::from(RawText::of_column(&path)))),
        halt_reason: texts.take(key::HALT_REASON),
        stopped_by_signal: texts.take(key::STOPPED_BY_SIGNAL).is_some(),
        stopping: texts.take(key::STOPPING),
    })
}

/// Returns `true` if managers have a table of their own by now. Asked within the transaction that reads it: somebody may have brought
/// the database up to date since it was opened.
fn has_table(conn: &mut DbConnection) -> Result<bool, Failure> {
    Ok(UserVersion {}.get_result::<i32>(conn)? >= FIRST_WITH_MANAGERS)
}

/// Returns the row of the latest manager of a job.
pub(super) fn latest(conn: &mut DbConnection, job: JobId) -> Result<Option<ManagerRow>, Failure> {
    // Without a limit, which would be bound: no more than one row is read.
    rows_of!(job).get_result(conn).optional().map_err(|error| of_row(job, error))
}

/// Names the job of a row that cannot be read, which says nothing about the rest of the database.
fn of_row(job: JobId, error: diesel::result::Error) -> Failure {
    match error {
        DeserializationError(reason) => damaged(job, "row of a manager", Some(reason.to_string())),
        error => error.into(),
    }
}

/// Returns `true` for a text in the form of the kernel's boot ids.
fn is_boot_id(text: &str) -> bool {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// Returns what people are told of a manager.
pub(super) fn run(row: ManagerRow) -> ManagerRun {
    let Word(state) = row.state;
    ManagerRun {
        number: Epoch(row.number),
        state,
        reason: row.reason,
        host: row.host,
        pid: row.pid,
        version: row.version,
        started_at: row.started_at.map(Timestamp::from_micros),
        heartbeat_at: Timestamp::from_micros(row.heartbeat_at),
        ended_at: row.ended_at.map(Timestamp::from_micros),
        load: None,
    }
}

#[cfg(test)]
mod tests;
