//! Creation of jobs and insertion of units.
//!
//! A job whose units come from a long stream is created `partial`, filled in transactions of bounded size, and
//! becomes visible with the last one: a crash leaves either the whole job or none that anybody sees.

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as SqlError};
use diesel::sql_types::{BigInt, Nullable, Text};

use super::error::Failure;
use super::schema::jobs;
use super::statement::statement;
use super::{Store, StoreError};
use crate::model::{JobId, JobStatus, NewJob, NewUnit, Seq, Timestamp, UnitId};

/// What became of a creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateOutcome {
    /// A job was made.
    Created(JobId),
    /// A job with the same key was there already; nothing was changed.
    Existing(JobId),
}

statement! {
    struct InsertUnit<'a> {
        "INSERT INTO units (status, attempts, crashes, id, key, payload) VALUES ('pending', 0, 0, "
            id: i64 as BigInt,
        ", " key: Option<&'a str> as Nullable<Text>,
        ", " payload: &'a str as Text,
    }
    ")"
}

#[derive(Insertable)]
#[diesel(table_name = jobs, treat_none_as_default_value = false)]
struct NewJobRow<'a> {
    uid: String,
    name: &'a str,
    key: Option<&'a str>,
    handler: &'a str,
    spec: &'a str,
    limits: String,
    status: &'static str,
    epoch: i64,
    revision: i64,
    claimed_through: i64,
    total: i64,
    pending: i64,
    running: i64,
    completed: i64,
    failed: i64,
    skipped: i64,
    cancelled: i64,
    created_at: i64,
}

impl Store {
    /// Creates a job with its first units; the job stays `partial`, seen by nobody, unless these are `all`.
    ///
    /// When the job has a key that another job bears, nothing is made and that job is returned.
    ///
    /// # Errors
    /// [`StoreError::KeyInUse`] while the job with that key is still being created.
    pub fn create_job(
        &mut self,
        new: &NewJob,
        first: &[NewUnit],
        all: bool,
        now: Timestamp,
    ) -> Result<CreateOutcome, StoreError> {
        self.write("create the job", |conn| {
            if let Some(existing) = job_with_key(conn, new.key.as_deref())? {
                return Ok(CreateOutcome::Existing(existing));
            }
            let status = if all { JobStatus::Created } else { JobStatus::Partial };
            let row = NewJobRow {
                uid: uuid::Uuid::now_v7().to_string(),
                name: &new.name,
                key: new.key.as_deref(),
                handler: &new.handler,
                spec: &new.spec,
                limits: serde_json::to_string(&new.limits).expect("limits are numbers and words"),
                status: status.as_str(),
                epoch: 0,
                revision: 0,
                claimed_through: 0,
                total: 0,
                pending: 0,
                running: 0,
                completed: 0,
                failed: 0,
                skipped: 0,
                cancelled: 0,
                created_at: now.as_micros(),
            };
            let id = diesel::insert_into(jobs::table).values(&row).returning(jobs::id).get_result(conn)?;
            insert_units(conn, JobId(id), first)?;
            Ok(CreateOutcome::Created(JobId(id)))
        })
    }

    /// Appends units to a job in one transaction and returns the number of units it has now.
    ///
    /// A job that had ended becomes paused: it has something to do again.
    pub fn append_units(&mut self, job: JobId, units: &[NewUnit]) -> Result<i64, StoreError> {
        self.write("add units", |conn| {
            let total = insert_units(conn, job, units)?;
            super::steer::reopen(conn, job)?;
            Ok(total)
        })
    }

    /// Makes a job visible whose last unit has been inserted.
    pub fn finish_creation(&mut self, job: JobId) -> Result<(), StoreError> {
        self.write("create the job", |conn| {
            let changed = diesel::update(jobs::table.find(job.0).filter(jobs::status.eq(JobStatus::Partial.as_str())))
                .set(jobs::status.eq(JobStatus::Created.as_str()))
                .execute(conn)?;
            if changed == 0 { Err(StoreError::JobNotFound(job).into()) } else { Ok(()) }
        })
    }
}

fn job_with_key(conn: &mut SqliteConnection, key: Option<&str>) -> Result<Option<JobId>, Failure> {
    let Some(key) = key else { return Ok(None) };
    let found: Option<(i64, String)> =
        jobs::table.filter(jobs::key.eq(key)).select((jobs::id, jobs::status)).first(conn).optional()?;
    match found {
        None => Ok(None),
        Some((id, status)) if status == JobStatus::Partial.as_str() => {
            Err(StoreError::KeyInUse { job: JobId(id) }.into())
        }
        Some((id, _)) => Ok(Some(JobId(id))),
    }
}

/// Inserts units behind the last one and counts them.
fn insert_units(conn: &mut SqliteConnection, job: JobId, units: &[NewUnit]) -> Result<i64, Failure> {
    let before: i64 = jobs::table
        .find(job.0)
        .select(jobs::total)
        .first(conn)
        .optional()?
        .ok_or(Failure::Store(StoreError::JobNotFound(job)))?;
    let added = i64::try_from(units.len()).expect("a slice holds fewer than 2^63 units");
    if before.saturating_add(added) > Seq::MAX.0 {
        return Err(StoreError::TooManyUnits { job, limit: Seq::MAX.0 }.into());
    }
    for (seq, unit) in (before + 1..).zip(units) {
        let insert =
            InsertUnit { id: UnitId::new(job, Seq(seq)).raw(), key: unit.key.as_deref(), payload: &unit.payload };
        insert.execute(conn).map_err(|error| duplicate_key(error, job, unit))?;
    }
    diesel::update(jobs::table.find(job.0))
        .set((
            jobs::total.eq(jobs::total + added),
            jobs::pending.eq(jobs::pending + added),
            jobs::revision.eq(jobs::revision + 1),
        ))
        .execute(conn)?;
    Ok(before + added)
}

fn duplicate_key(error: SqlError, job: JobId, unit: &NewUnit) -> Failure {
    match (&error, &unit.key) {
        (SqlError::DatabaseError(DatabaseErrorKind::UniqueViolation, _), Some(key)) => {
            Failure::Store(StoreError::DuplicateUnitKey { job, key: key.clone() })
        }
        _ => Failure::Sql(error),
    }
}
