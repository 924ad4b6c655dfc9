//! Creating jobs and adding units inside a transaction of the caller's own, for services whose data lives in the same
//! database file: the batch exists exactly when the caller's own changes do.

use std::path::Path;

use diesel::prelude::*;

use super::create::{self, SameKey};
use super::creation::put_creation;
use super::error::Failure;
use super::made_paths::{self, MadePath, PathOf};
use super::{CreateOutcome, StoreError, open};
use crate::model::{Contents, Job, JobId, NewJob, NewUnit, SeenKeys, Seq, Timestamp, UnitsAdded};

/// Units inserted by one pass, so that an iterator of any length takes constant memory.
const CHUNK_UNITS: usize = 1000;
/// Stands for the path of a database whose connection is not ours.
const CALLER: &str = "the caller's connection";

/// A connection to a database of this package that belongs to a caller.
pub type CallerConnection = SqliteConnection;

/// Creates a job inside the caller's transaction; see [`create_job_in`](crate::create_job_in) of the client.
pub fn create_job_in(
    conn: &mut SqliteConnection,
    new: &NewJob,
    units: impl IntoIterator<Item = NewUnit>,
    made: Option<PathOf<'_>>,
) -> Result<JobId, StoreError> {
    within(conn, "create the job", |conn| {
        let mut units = units.into_iter();
        let first: Vec<NewUnit> = units.by_ref().take(CHUNK_UNITS).collect();
        if first.is_empty() {
            return Err(StoreError::NoUnits.into());
        }
        let job = match create::create_in(conn, new, &first, true, Timestamp::now())? {
            CreateOutcome::Existing(job) => return refuse_other(&super::jobs::job_row(conn, job)?, new),
            CreateOutcome::Created(job) => job,
        };
        let mut contents = Contents::default();
        contents.add_all(&first);
        append(conn, job, units.inspect(|unit| contents.add(unit)), SameKey::Refuse)?;
        record_made(conn, job, Seq(0), made)?;
        put_creation(conn, job, new, contents)?;
        Ok(job)
    })
}

/// Returns a job that has the key of a new one, unless it runs something else.
fn refuse_other(job: &Job, new: &NewJob) -> Result<JobId, Failure> {
    // What is not JSON is the same only as text.
    let settings = |spec: &str| serde_json::from_str::<serde_json::Value>(spec).map_err(|_| spec.to_owned());
    if job.handler == new.handler && settings(&job.spec) == settings(&new.spec) {
        return Ok(job.id);
    }
    Err(StoreError::KeyOfAnotherJob { job: job.id, key: new.key.clone().unwrap_or_default() }.into())
}

/// Adds units to a job inside the caller's transaction; see [`add_units_in`](crate::add_units_in) of the client. `made`
/// returns what tells the paths that the units of a job make.
pub fn add_units_in(
    conn: &mut SqliteConnection,
    job: JobId,
    units: impl IntoIterator<Item = NewUnit>,
    made: impl FnOnce(&Job) -> Option<MadePath>,
) -> Result<UnitsAdded, StoreError> {
    within(conn, "add units", |conn| {
        let row = super::jobs::job_row(conn, job)?;
        let before = Seq(row.progress.total);
        let added = append(conn, job, units.into_iter(), SameKey::LeaveOut)?;
        record_made(conn, job, before, made(&row).as_deref())?;
        Ok(added)
    })
}

fn record_made(conn: &mut SqliteConnection, job: JobId, after: Seq, made: Option<PathOf<'_>>) -> Result<(), Failure> {
    made.map_or(Ok(()), |made| made_paths::record_new(conn, job, after, made))
}

fn append(
    conn: &mut SqliteConnection,
    job: JobId,
    mut units: impl Iterator<Item = NewUnit>,
    same_key: SameKey,
) -> Result<UnitsAdded, Failure> {
    let (mut added, mut keys) = (UnitsAdded::default(), SeenKeys::default());
    loop {
        let chunk: Vec<NewUnit> = units.by_ref().take(CHUNK_UNITS).collect();
        if chunk.is_empty() {
            return Ok(added);
        }
        if same_key == SameKey::LeaveOut
            && let Some(key) = keys.find_twice(&chunk)
        {
            return Err(StoreError::KeyTwice { key: key.to_owned() }.into());
        }
        added.count(create::append_in(conn, job, &chunk, same_key)?, chunk.len());
    }
}

/// So that a caller's transaction can return this error, and diesel can say that the transaction itself failed.
impl From<diesel::result::Error> for StoreError {
    fn from(error: diesel::result::Error) -> Self {
        Failure::Sql(error).during("commit the caller's transaction", Path::new(CALLER))
    }
}

/// Runs `body` in the caller's transaction, undone as a whole when it fails.
fn within<T>(
    conn: &mut SqliteConnection,
    operation: &'static str,
    body: impl FnOnce(&mut SqliteConnection) -> Result<T, Failure>,
) -> Result<T, StoreError> {
    let path = Path::new(CALLER);
    conn.transaction(|conn| {
        open::refuse_other_database(conn, path)?;
        body(conn)
    })
    .map_err(|failure| failure.during(operation, path))
}
