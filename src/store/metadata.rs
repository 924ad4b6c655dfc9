//! What a manager says about itself, as pairs of key and value.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::columns::{Checked, Json};
use super::failure::Failure;
use super::schema::{jobs, metadata};
use super::statement::statement;
use super::{Store, StoreError};
use crate::model::{
    DatabaseFile, Isolation, JobId, ManagerRecord, NewJob, ProcessIdentity, RawText, Row, Submitter, Timestamp, Waits,
};

/// The keys of the table.
pub(super) mod key {
    pub const CREATION: &str = "creation";
    pub const PID: &str = "manager_pid";
    pub const START_TICKS: &str = "manager_start_ticks";
    pub const BOOT_ID: &str = "boot_id";
    pub const HOST: &str = "host";
    pub const NAMESPACES: &str = "namespaces";
    pub const DATABASE: &str = "database";
    pub const STOPPING: &str = "stopping";
    pub const VERSION: &str = "version";
    pub const HEARTBEAT: &str = "heartbeat_at";
    pub const RATE: &str = "rate_per_second";
    pub const WAITS: &str = "waits";
    pub const PROGRAM: &str = "program";
    pub const CALLBACK_ERROR: &str = "callback_error";
    pub const ERROR: &str = "error";
    pub const HALT_REASON: &str = "halt_reason";
    pub const STOPPED_BY_SIGNAL: &str = "stopped_by_signal";
    pub const ESCAPE_CI: &str = "escape_ci";
    pub const SCOPE: &str = "scope";
    pub const SUBMITTER: &str = "submitter";
    pub const ERROR_TRACE: &str = "error_trace";
}

statement! {
    struct Upsert<'a> {
        "INSERT INTO metadata (job_id, key, value) VALUES ("
            job: i64 as BigInt,
        ", " key: &'a str as Text,
        ", " value: &'a str as Text,
    }
    ") ON CONFLICT (job_id, key) DO UPDATE SET value = excluded.value"
}

/// Begins the keys of labels.
const LABEL: &str = "label:";
/// The first text after all that begin with [`LABEL`].
const AFTER_LABELS: &str = "label;";

/// Returns the key of a label.
pub(super) fn label(name: &str) -> String {
    format!("{LABEL}{name}")
}

/// Value of a request; one that was not made has no row.
const REQUESTED: &str = "yes";

impl Store {
    /// Returns what the managers of a job are isolated from.
    pub fn isolation(&mut self, job: JobId) -> Result<Isolation, StoreError> {
        self.read("read how the job is started", |conn| {
            let requests = metadata::table.filter(metadata::job_id.eq(job.0)).filter(metadata::value.eq(REQUESTED));
            let requested: Vec<String> = requests.select(metadata::key).load(conn)?;
            let has = |key: &str| requested.iter().any(|other| other == key);
            Ok(Isolation { escape_ci: has(key::ESCAPE_CI), scope: has(key::SCOPE) })
        })
    }

    /// Returns what the units of a job inherit; `None` when its creator did not record that.
    pub fn submitter(&mut self, job: JobId) -> Result<Option<Submitter>, StoreError> {
        self.read("read what the units inherit", |conn| {
            let row = metadata::table.find((job.0, key::SUBMITTER)).select(metadata::value);
            let found: Option<Checked<Json<Submitter>>> = row.first(conn).optional()?;
            let found = found.map(|submitter| submitter.of(Row::Job(job), key::SUBMITTER)).transpose()?;
            Ok(found.map(|Json(submitter)| submitter))
        })
    }

    /// Returns the labels of a job.
    pub fn labels(&mut self, job: JobId) -> Result<BTreeMap<String, String>, StoreError> {
        self.read("read the labels", |conn| {
            // A range: for a bound LIKE SQLite prepares the statement again at each reading.
            let rows: Vec<(String, String)> = metadata::table
                .filter(metadata::job_id.eq(job.0))
                .filter(metadata::key.ge(LABEL).and(metadata::key.lt(AFTER_LABELS)))
                .select((metadata::key, metadata::value))
                .load(conn)?;
            Ok(rows.into_iter().map(|(key, value)| (key[LABEL.len()..].to_owned(), value)).collect())
        })
    }

    /// Has later managers of a job start without a scope of their own.
    pub fn forget_scope(&mut self, job: JobId) -> Result<(), StoreError> {
        self.write("forget the job's scope", |conn| {
            diesel::delete(metadata::table.find((job.0, key::SCOPE))).execute(conn)?;
            Ok(())
        })
    }

    /// Returns what the latest manager of a job said about itself; `None` before the first.
    ///
    /// # Errors
    /// [`StoreError::DamagedRecord`] when a part is missing or cannot be read: a guess in its place would be taken for
    /// the truth about who lives.
    pub fn manager_record(&mut self, job: JobId) -> Result<Option<ManagerRecord>, StoreError> {
        self.read("read the manager's record", |conn| record_of(conn, job))
    }
}

/// Returns what the latest manager of a job has written about itself.
pub(super) fn record_of(conn: &mut SqliteConnection, job: JobId) -> Result<Option<ManagerRecord>, Failure> {
    let epoch: Option<i64> = jobs::table.find(job.0).select(jobs::epoch).first(conn).optional()?;
    // Those two are long and written once by the job's creator; the manager says nothing in them.
    let values = metadata::table
        .filter(metadata::job_id.eq(job.0))
        .filter(metadata::key.ne(key::CREATION).and(metadata::key.ne(key::SUBMITTER)))
        .select((metadata::key, metadata::value))
        .load(conn)?
        .into_iter()
        .collect();
    let mut record = Record { job, values };
    // The first epoch begins with the first record.
    if epoch.is_none_or(|epoch| epoch == 0) && !record.values.contains_key(key::PID) {
        return Ok(None);
    }
    Ok(Some(ManagerRecord {
        identity: ProcessIdentity {
            pid: record.required(key::PID, |pid| pid.parse().ok().filter(is_process_number))?,
            start_ticks: record.required(key::START_TICKS, |ticks| ticks.parse().ok())?,
            boot_id: record.required(key::BOOT_ID, |id| is_boot_id(id).then(|| id.to_owned()))?,
            host: record.required(key::HOST, |host| (!host.is_empty()).then(|| host.to_owned()))?,
            namespaces: record.text(key::NAMESPACES),
        },
        database: record.optional(key::DATABASE, DatabaseFile::from_text)?,
        version: record.text(key::VERSION).unwrap_or_default(),
        heartbeat_at: record.optional(key::HEARTBEAT, |at| at.parse().ok().map(Timestamp::from_micros))?,
        rate_per_second: record.optional(key::RATE, |rate| rate.parse().ok())?,
        waits: record.optional(key::WAITS, |waits| serde_json::from_str(waits).ok())?,
        program: record.text(key::PROGRAM).map(|path| PathBuf::from(OsString::from(RawText::of_column(&path)))),
        callback_error: record.text(key::CALLBACK_ERROR),
        error: record.text(key::ERROR),
        halt_reason: record.text(key::HALT_REASON),
        stopped_by_signal: record.text(key::STOPPED_BY_SIGNAL).is_some(),
        stopping: record.text(key::STOPPING),
        error_trace: record.text(key::ERROR_TRACE),
    }))
}

/// The rows of a job, as they are read into what its manager said.
struct Record {
    job: JobId,
    values: HashMap<String, String>,
}

impl Record {
    fn text(&mut self, key: &str) -> Option<String> {
        self.values.remove(key)
    }

    fn optional<T>(&mut self, key: &'static str, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Failure> {
        let Some(value) = self.text(key) else { return Ok(None) };
        match read(&value) {
            Some(read) => Ok(Some(read)),
            None => Err(StoreError::DamagedRecord { job: self.job, key, value: Some(value) }.into()),
        }
    }

    fn required<T>(&mut self, key: &'static str, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Failure> {
        let job = self.job;
        self.optional(key, read)?.ok_or_else(|| StoreError::DamagedRecord { job, key, value: None }.into())
    }
}

/// Returns `true` for a number that a process can have.
fn is_process_number(pid: &u32) -> bool {
    (1..=i32::MAX.unsigned_abs()).contains(pid)
}

/// Returns `true` for a text in the form of the kernel's boot ids.
fn is_boot_id(text: &str) -> bool {
    let groups: Vec<usize> = text.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// Sets one value inside a transaction.
pub(super) fn put(conn: &mut SqliteConnection, job: JobId, key: &str, value: &str) -> Result<(), Failure> {
    Upsert { job: job.0, key, value }.execute(conn)?;
    Ok(())
}

/// Writes how a new job is started: its labels, what its managers are isolated from, what its units inherit.
pub(super) fn put_new(conn: &mut SqliteConnection, job: JobId, new: &NewJob) -> Result<(), Failure> {
    for (name, value) in &new.labels {
        put(conn, job, &label(name), value)?;
    }
    if new.isolation.escape_ci {
        put(conn, job, key::ESCAPE_CI, REQUESTED)?;
    }
    if new.isolation.scope {
        put(conn, job, key::SCOPE, REQUESTED)?;
    }
    if let Some(submitter) = &new.submitter {
        let text = serde_json::to_string(submitter).expect("it is made of numbers and words");
        put(conn, job, key::SUBMITTER, &text)?;
    }
    Ok(())
}

/// Writes what the next start of a unit waits for, or that it waits for nothing.
pub(super) fn put_waits(conn: &mut SqliteConnection, job: JobId, waits: Option<&Waits>) -> Result<(), Failure> {
    match waits {
        Some(waits) => put(conn, job, key::WAITS, &serde_json::to_string(waits).expect("figures and text are JSON"))?,
        None => {
            diesel::delete(metadata::table.find((job.0, key::WAITS))).execute(conn)?;
        }
    }
    Ok(())
}

/// Returns when the latest manager last wrote.
pub(super) fn heartbeat(conn: &mut SqliteConnection, job: JobId) -> Result<Option<Timestamp>, Failure> {
    let value: Option<String> =
        metadata::table.find((job.0, key::HEARTBEAT)).select(metadata::value).first(conn).optional()?;
    Ok(parsed(value)?.map(Timestamp::from_micros))
}

fn parsed<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    value: Option<String>,
) -> Result<Option<T>, Failure> {
    value.map(|value| value.parse()).transpose().map_err(Failure::unreadable)
}

/// Forgets why a manager paused its job: a client has given the job another state.
pub(super) fn forget_pause(conn: &mut SqliteConnection, job: JobId) -> Result<(), Failure> {
    let reasons = metadata::key.eq_any([key::HALT_REASON, key::STOPPED_BY_SIGNAL]);
    diesel::delete(metadata::table.filter(metadata::job_id.eq(job.0)).filter(reasons)).execute(conn)?;
    Ok(())
}

/// Writes who a manager is, and forgets the error of the one before.
pub(super) fn put_manager(
    conn: &mut SqliteConnection,
    job: JobId,
    manager: &ProcessIdentity,
    database: &DatabaseFile,
    program: &Path,
    now: Timestamp,
) -> Result<(), Failure> {
    put(conn, job, key::PID, &manager.pid.to_string())?;
    put(conn, job, key::START_TICKS, &manager.start_ticks.to_string())?;
    put(conn, job, key::BOOT_ID, &manager.boot_id)?;
    put(conn, job, key::HOST, &manager.host)?;
    if let Some(namespaces) = &manager.namespaces {
        put(conn, job, key::NAMESPACES, namespaces)?;
    }
    put(conn, job, key::DATABASE, &database.to_text())?;
    put(conn, job, key::PROGRAM, &RawText::from(program.as_os_str()).to_column())?;
    put(conn, job, key::VERSION, env!("CARGO_PKG_VERSION"))?;
    put(conn, job, key::HEARTBEAT, &now.as_micros().to_string())?;
    diesel::delete(metadata::table.filter(metadata::job_id.eq(job.0)).filter(metadata::key.eq_any([
        key::RATE,
        key::WAITS,
        key::ERROR,
        key::HALT_REASON,
        key::STOPPED_BY_SIGNAL,
        key::STOPPING,
        key::ERROR_TRACE,
        key::CALLBACK_ERROR,
    ])))
    .execute(conn)?;
    Ok(())
}

#[cfg(test)]
mod tests;
