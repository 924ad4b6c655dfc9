//! Texts about a job, as pairs of key and value: how it was created, its labels, errors, what is waited for.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::columns::{Checked, Json};
use super::connection::DbConnection;
use super::failure::Failure;
use super::schema::metadata;
use super::specs::numbers;
use super::statement::statement;
use super::written::kept;
use super::{Store, StoreError};
use crate::model::{Isolation, JobId, NewJob, Row, Submitter, Waits};

/// The keys of the table.
pub(super) mod key {
    pub const CREATION: &str = "creation";
    pub const STOPPING: &str = "stopping";
    pub const WAITS: &str = "waits";
    /// How many units run at a time, where the job adapts that; with the host behind a colon on a server.
    pub const ADAPTED: &str = "adapted";
    /// What attempts have taken of the machine; with the host behind a colon on a server.
    pub const RESOURCES: &str = "resources";
    pub const CALLBACK_ERROR: &str = "callback_error";
    pub const ERROR: &str = "error";
    pub const HALT_REASON: &str = "halt_reason";
    pub const STOPPED_BY_SIGNAL: &str = "stopped_by_signal";
    pub const ESCAPE_CI: &str = "escape_ci";
    pub const SCOPE: &str = "scope";
    pub const SUBMITTER: &str = "submitter";
    pub const ERROR_TRACE: &str = "error_trace";
    /// The uid of the job that this one is a copy of.
    pub const COPIED_FROM: &str = "copied_from";
    /// What a copy becomes once the job that moves to it has been cancelled; there only until then.
    pub const HELD_COPY: &str = "held_copy";
    /// The uid of the copy that a job has moved to.
    pub const MOVED_TO: &str = "moved_to";
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
        self.read("read the labels", |conn| Ok(Texts::of(conn, job)?.labels()))
    }

    /// Has later managers of a job start without a scope of their own.
    pub fn forget_scope(&mut self, job: JobId) -> Result<(), StoreError> {
        self.write("forget the job's scope", |conn| {
            diesel::delete(metadata::table.find((job.0, key::SCOPE))).execute(conn)?;
            Ok(())
        })
    }
}

statement! {
    // Without what is long.
    struct TextsOf {
        ["SELECT job_id, metadata.key, metadata.value FROM json_each("
         "SELECT job_id, metadata.key, metadata.value FROM json_array_elements_text(("]
            jobs: String as Text,
    }
    [") AS job CROSS JOIN metadata ON job_id = job.value WHERE metadata.key NOT IN ('creation', 'submitter', 'error_trace')"
     ")::json) AS job JOIN metadata ON job_id = job.value::bigint \
      WHERE metadata.key NOT IN ('creation', 'submitter', 'error_trace')"]
    -> (BigInt, Text, Text)
}

statement! {
    // The same of jobs that follow each other: to walk past what is long costs less than to look each of them up.
    struct TextsBetween {
        "SELECT job_id, key, value FROM metadata WHERE job_id BETWEEN "
            first: i64 as BigInt,
        " AND " last: i64 as BigInt,
    }
    " AND key NOT IN ('creation', 'submitter', 'error_trace')" -> (BigInt, Text, Text)
}

/// Texts about a job, by key.
pub(super) struct Texts {
    job: JobId,
    values: HashMap<String, String>,
}

impl Texts {
    /// Returns those of a job about which there are none.
    pub fn none(job: JobId) -> Texts {
        Texts { job, values: HashMap::new() }
    }

    /// Reads labels and all that managers wrote about a job.
    pub fn of(conn: &mut DbConnection, job: JobId) -> Result<Texts, Failure> {
        Ok(Self::of_jobs(conn, &[job])?.remove(&job).unwrap_or_else(|| Self::none(job)))
    }

    /// Reads the same about some jobs, as far as there is anything; perhaps about others between them too.
    pub fn of_jobs(conn: &mut DbConnection, jobs: &[JobId]) -> Result<HashMap<JobId, Texts>, Failure> {
        let mut texts = HashMap::new();
        let numbers_of_jobs = || jobs.iter().map(|job| job.0);
        let Some((first, last)) = numbers_of_jobs().min().zip(numbers_of_jobs().max()) else { return Ok(texts) };
        let are_dense = usize::try_from(last - first).is_ok_and(|distance| distance < 2 * jobs.len());
        let rows: Vec<(i64, Checked<String>, Checked<String>)> = match are_dense {
            true => TextsBetween { first, last }.load(conn)?,
            false => TextsOf { jobs: numbers(jobs) }.load(conn)?,
        };
        for (job, key, value) in rows {
            let of_job = texts.entry(JobId(job)).or_insert_with_key(|job| Self::none(*job));
            of_job.values.insert(key.shown().to_owned(), value.shown().to_owned());
        }
        Ok(texts)
    }

    /// Returns the labels among them.
    pub fn labels(self) -> BTreeMap<String, String> {
        let label = |(key, value): (String, String)| Some((key.strip_prefix(LABEL)?.to_owned(), value));
        self.values.into_iter().filter_map(label).collect()
    }

    /// Returns all of them, each with its key.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// Takes one text.
    pub fn take(&mut self, key: &str) -> Option<String> {
        self.values.remove(key)
    }

    /// Returns `true` if a text is there.
    pub fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Takes and reads a text that must be there.
    pub fn required<T>(&mut self, key: &'static str, read: impl Fn(&str) -> Option<T>) -> Result<T, Failure> {
        self.read(key, read)?.ok_or_else(|| damaged(self.job, key, None))
    }

    /// Takes and reads a text.
    pub fn read<T>(&mut self, key: &'static str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Failure> {
        self.take(key).map(|value| read(&value).ok_or_else(|| damaged(self.job, key, Some(value)))).transpose()
    }
}

/// Names the part of what a manager wrote about itself that cannot be read or is missing.
pub(super) fn damaged(job: JobId, key: &'static str, value: Option<String>) -> Failure {
    StoreError::DamagedRecord { job, key, value }.into()
}

/// Sets one value inside a transaction.
pub(super) fn put(conn: &mut DbConnection, job: JobId, key: &str, value: &str) -> Result<(), Failure> {
    let (key, value) = (&*kept(conn, key), &*kept(conn, value));
    Upsert { job: job.0, key, value }.execute(conn)?;
    Ok(())
}

/// Writes how a new job is started: its labels, what its managers are isolated from, what its units inherit.
pub(super) fn put_new(conn: &mut DbConnection, job: JobId, new: &NewJob) -> Result<(), Failure> {
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
pub(super) fn put_waits(conn: &mut DbConnection, job: JobId, waits: Option<&Waits>) -> Result<(), Failure> {
    match waits {
        Some(waits) => put(conn, job, key::WAITS, &serde_json::to_string(waits).expect("figures and text are JSON"))?,
        None => {
            diesel::delete(metadata::table.find((job.0, key::WAITS))).execute(conn)?;
        }
    }
    Ok(())
}

/// Forgets why a manager paused its job: a client has given the job another state.
pub(super) fn forget_pause(conn: &mut DbConnection, job: JobId) -> Result<(), Failure> {
    let reasons = metadata::key.eq_any([key::HALT_REASON, key::STOPPED_BY_SIGNAL]);
    diesel::delete(metadata::table.filter(metadata::job_id.eq(job.0)).filter(reasons)).execute(conn)?;
    Ok(())
}

/// Deletes the texts of the manager before: the next one begins.
pub(super) fn forget_manager(conn: &mut DbConnection, job: JobId) -> Result<(), Failure> {
    diesel::delete(metadata::table.filter(metadata::job_id.eq(job.0)).filter(metadata::key.eq_any([
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
