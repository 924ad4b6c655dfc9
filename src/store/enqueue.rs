//! Creating jobs and adding units inside a transaction of the caller's own, for services whose data lives in the same
//! database: the batch exists exactly when the caller's own changes do.

use std::path::Path;

use super::caller::{Caller, within};
use super::connection::DbConnection;
use super::create;
use super::creation::{creation_of, put_creation};
use super::ended::Ended;
use super::failure::Failure;
use super::jobs::lock_job;
use super::made_paths::{self, MadePath, PathOf};
use super::same_key::SameKey;
use super::specs::spec_of;
use super::{CreateOutcome, StoreError};
use crate::model::{Contents, Creation, Job, JobId, NewJob, NewUnit, SeenKeys, Seq, Timestamp, UnitsAdded};

/// Units inserted by one pass, and the bytes of payload after which it ends early, so that an iterator of any length takes
/// little memory.
const CHUNK_UNITS: usize = 1000;
const CHUNK_BYTES: usize = 8 << 20;

/// Creates a job inside the caller's transaction; see [`create_job_in`](crate::client::create_job_in) of the client.
///
/// `look` may refuse the file, if it is one, and `same` a job that has the key already.
pub fn create_job_in<E: From<StoreError>>(
    conn: Caller<'_>,
    new: &NewJob,
    mut units: impl Iterator<Item = Result<NewUnit, E>>,
    made: Option<PathOf<'_>>,
    look: impl FnOnce(&Path) -> Result<(), E>,
    same: impl FnOnce(&Job, &str, Option<&Creation>) -> Result<(), E>,
) -> Result<JobId, E> {
    within(conn, "create the job", look, |conn| {
        let first = next_chunk(&mut units)?;
        let job = match create::create_in(conn, new, &first, true, Timestamp::now())? {
            CreateOutcome::Existing(job) => {
                let row = lock_job(conn, job)?;
                same(&row, &spec_of(conn, job)?, creation_of(conn, job)?.as_ref()).map_err(Ended::Refused)?;
                return Ok(job);
            }
            CreateOutcome::Created(job) => job,
        };
        let mut contents = Contents::default();
        contents.add_all(&first);
        let rest = units.inspect(|unit| unit.iter().for_each(|unit| contents.add(unit)));
        append(conn, job, rest, SameKey::Refuse)?;
        record_made(conn, job, Seq(0), made)?;
        put_creation(conn, job, new, contents)?;
        Ok(job)
    })
}

/// Adds units to a job inside the caller's transaction; see [`add_units_in`](crate::client::add_units_in) of the client.
///
/// `look` may refuse the file, if it is one, and `check` each unit, which it may complete; `made` returns what tells the paths that the units of a job make.
pub fn add_units_in<E: From<StoreError>>(
    conn: Caller<'_>,
    job: JobId,
    units: impl Iterator<Item = NewUnit>,
    made: impl FnOnce(&Job, &str) -> Option<MadePath>,
    look: impl FnOnce(&Path) -> Result<(), E>,
    check: impl Fn(&Job, NewUnit) -> Result<NewUnit, E>,
) -> Result<UnitsAdded, E> {
    within(conn, "add units", look, |conn| {
        let row = lock_job(conn, job)?;
        let before = Seq(row.progress.total);
        let units = units.map(|unit| check(&row, unit));
        let (added, made) = (append(conn, job, units, SameKey::LeaveOut)?, made(&row, &spec_of(conn, job)?));
        record_made(conn, job, before, made.as_deref())?;
        Ok(added)
    })
}

fn record_made(conn: &mut DbConnection, job: JobId, after: Seq, made: Option<PathOf<'_>>) -> Result<(), Failure> {
    made.map_or(Ok(()), |made| made_paths::record_new(conn, job, after, made))
}

fn append<E>(
    conn: &mut DbConnection,
    job: JobId,
    mut units: impl Iterator<Item = Result<NewUnit, E>>,
    same_key: SameKey,
) -> Result<UnitsAdded, Ended<E>> {
    let (mut added, mut keys) = (UnitsAdded::default(), SeenKeys::default());
    loop {
        let chunk = next_chunk(&mut units)?;
        if chunk.is_empty() {
            return Ok(added);
        }
        if same_key == SameKey::LeaveOut
            && let Some(key) = keys.find_twice(&chunk)
        {
            return Err(StoreError::KeyTwice(key.to_owned()).into());
        }
        added.count(create::append_in(conn, job, &chunk, same_key)?, chunk.len());
    }
}

/// Takes units until a chunk is full; none when there are no more.
fn next_chunk<E>(units: &mut impl Iterator<Item = Result<NewUnit, E>>) -> Result<Vec<NewUnit>, Ended<E>> {
    let (mut chunk, mut bytes) = (Vec::new(), 0);
    while chunk.len() < CHUNK_UNITS && bytes < CHUNK_BYTES {
        let Some(unit) = units.next() else { break };
        let unit = unit.map_err(Ended::Refused)?;
        bytes += unit.payload.len();
        chunk.push(unit);
    }
    Ok(chunk)
}
