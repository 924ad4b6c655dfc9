//! Paths that units make, as hashes: no two units of a job make the same one.
//!
//! Only units of jobs that make paths have a row here. A hash merely finds candidates: what is compared are the paths.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};

use super::columns::Checked;
use super::connection::DbConnection;
use super::create::{CreateOutcome, append_in, create_in};
use super::failure::Failure;
use super::jobs::lock_job;
use super::renew::renew_in;
use super::same_key::SameKey;
use super::schema::{jobs, made_paths, units};
use super::statement::statement;
use super::{Store, StoreError};
use crate::model::{JobId, NewJob, NewUnit, Seq, Timestamp, UnitId, UnitStatus, fnv};

/// Returns the path that a unit of that payload and number makes, if it makes one.
pub type PathOf<'a> = &'a (dyn Fn(&str, Seq) -> Option<PathBuf> + Send + Sync);

/// Tells the path that a unit makes from its payload and number.
pub type MadePath = Box<dyn Fn(&str, Seq) -> Option<PathBuf> + Send + Sync>;

/// Units looked at at a time.
const PAGE: i64 = 1000;

statement! {
    // One that is gone from the source may run yet.
    struct SamePath {
        "SELECT made_paths.unit_id, units.outdated IS NOT NULL FROM made_paths \
         JOIN units ON units.id = made_paths.unit_id WHERE path_hash = "
            hash: i64 as BigInt,
        " AND unit_id BETWEEN " first: i64 as BigInt,
        " AND " last: i64 as BigInt,
        " AND unit_id <> " own: i64 as BigInt,
    }
    " AND (units.outdated IS NULL OR units.status = 'running')"
    -> (BigInt, Bool)
}

statement! {
    struct InsertPath {
        "INSERT INTO made_paths (unit_id, path_hash) VALUES (" unit: i64 as BigInt,
        ", " hash: i64 as BigInt,
    }
    ") ON CONFLICT (unit_id) DO UPDATE SET path_hash = excluded.path_hash"
}

impl Store {
    /// Returns `true` if what is at a path may not be of an attempt that this unit began then: another unit, of whatever job,
    /// makes it and could have done so since, or this one completed meanwhile.
    pub fn is_of_another(&mut self, path: &Path, unit: UnitId, since: Timestamp) -> Result<bool, StoreError> {
        self.read("look for units that make a path", |conn| {
            let own: Option<String> = units::table.find(unit.raw()).select(units::status).first(conn).optional()?;
            if own.is_none_or(|status| status == UnitStatus::Completed.as_str()) {
                return Ok(true);
            }
            let named = made_paths::table.filter(made_paths::path_hash.eq(hash_of(path)));
            let others: Vec<i64> =
                named.filter(made_paths::unit_id.ne(unit.raw())).select(made_paths::unit_id).load(conn)?;
            for other in others {
                let row = units::table.find(other).select((units::status, units::finished_at));
                let (status, finished_at): (String, Option<i64>) = row.first(conn)?;
                let waits_or_runs = status == UnitStatus::Pending.as_str() || status == UnitStatus::Running.as_str();
                let completed = status == UnitStatus::Completed.as_str();
                if waits_or_runs || completed && finished_at >= Some(since.as_micros()) {
                    return Ok(true);
                }
            }
            Ok(false)
        })
    }

    /// Creates a job whose units make paths; see [`Store::create_job`].
    ///
    /// # Errors
    /// [`StoreError::SamePath`] when two units would make the same path; nothing is created then.
    pub fn create_job_making(
        &mut self,
        new: &NewJob,
        first: &[NewUnit],
        all: bool,
        now: Timestamp,
        path_of: PathOf<'_>,
    ) -> Result<CreateOutcome, StoreError> {
        self.write("create the job", |conn| {
            let outcome = create_in(conn, new, first, all, now)?;
            if let CreateOutcome::Created(job) = outcome {
                record_new(conn, job, Seq(0), path_of)?;
            }
            Ok(outcome)
        })
    }

    /// Appends units that make paths; see [`Store::append_units`].
    ///
    /// # Errors
    /// [`StoreError::SamePath`] when one of them would make the path of another; nothing is appended then.
    pub fn append_units_making(
        &mut self,
        job: JobId,
        units: &[NewUnit],
        same_key: SameKey,
        path_of: PathOf<'_>,
    ) -> Result<usize, StoreError> {
        self.write("add units", |conn| {
            let added = append_in(conn, job, units, same_key)?;
            let total: i64 = jobs::table.find(job.0).select(jobs::total).first(conn)?;
            let new = i64::try_from(added).expect("no more were added than a slice holds");
            record_new(conn, job, Seq(total - new), path_of)?;
            Ok(added)
        })
    }

    /// Gives units that make paths new content; see [`Store::renew_units`].
    ///
    /// # Errors
    /// [`StoreError::SamePath`] when one of them would make the path of another; nothing is changed then.
    pub fn renew_units_making(
        &mut self,
        job: JobId,
        new: &[(Seq, NewUnit)],
        now: Timestamp,
        path_of: PathOf<'_>,
    ) -> Result<usize, StoreError> {
        self.write("renew units", |conn| {
            let before = Seq(lock_job(conn, job)?.progress.total);
            let renewed = renew_in(conn, job, new, now)?;
            let changed: Vec<UnitId> = new.iter().map(|(seq, _)| UnitId::new(job, *seq)).collect();
            record_again(conn, &changed, path_of)?;
            record_new(conn, job, before, path_of)?;
            Ok(renewed)
        })
    }
}

/// Records what the units of a job after that number make; refuses one that makes the same as another.
pub(super) fn record_new(conn: &mut DbConnection, job: JobId, after: Seq, path_of: PathOf<'_>) -> Result<(), Failure> {
    let mut last = UnitId::new(job, after).raw();
    loop {
        let page: Vec<(i64, Checked<String>)> = units::table
            .filter(units::id.gt(last).and(units::id.le(UnitId::new(job, Seq::MAX).raw())))
            .order(units::id)
            .limit(PAGE)
            .select((units::id, units::payload))
            .load(conn)?;
        let Some((end, _)) = page.last() else { return Ok(()) };
        last = *end;
        for (id, payload) in &page {
            record(conn, UnitId::from_raw(*id), payload.shown(), path_of)?;
        }
    }
}

/// Replaces the paths of units whose content has changed; all old ones are deleted first, so that units can swap them.
pub(super) fn record_again(conn: &mut DbConnection, changed: &[UnitId], path_of: PathOf<'_>) -> Result<(), Failure> {
    let ids: Vec<i64> = changed.iter().map(|unit| unit.raw()).collect();
    diesel::delete(made_paths::table.filter(made_paths::unit_id.eq_any(&ids))).execute(conn)?;
    for unit in changed {
        let row = units::table.find(unit.raw()).filter(units::outdated.is_null());
        let payload: Option<Checked<String>> = row.select(units::payload).first(conn).optional()?;
        if let Some(payload) = payload {
            record(conn, *unit, payload.shown(), path_of)?;
        }
    }
    Ok(())
}

fn record(conn: &mut DbConnection, unit: UnitId, payload: &str, path_of: PathOf<'_>) -> Result<(), Failure> {
    let Some(path) = path_of(payload, unit.seq()) else { return Ok(()) };
    let (job, hash) = (unit.job(), hash_of(&path));
    let (first, last) = (UnitId::new(job, Seq(0)).raw(), UnitId::new(job, Seq::MAX).raw());
    let same: Vec<(i64, bool)> = SamePath { hash, first, last, own: unit.raw() }.load(conn)?;
    for (other, is_gone) in same {
        let other = UnitId::from_raw(other);
        let payload: Checked<String> = units::table.find(other.raw()).select(units::payload).first(conn)?;
        let theirs = path_of(payload.shown(), other.seq());
        if theirs.is_some_and(|theirs| theirs.components().eq(path.components())) {
            let (first, second) = (other.seq(), unit.seq());
            return Err(match is_gone {
                true => StoreError::PathInUse { first, second, path }.into(),
                false => StoreError::SamePath { first, second, path }.into(),
            });
        }
    }
    InsertPath { unit: unit.raw(), hash }.execute(conn)?;
    Ok(())
}

/// Returns a hash of a path that stays the same for ever (FNV-1a), whatever its slashes; it is kept in the database.
fn hash_of(path: &Path) -> i64 {
    let parts = path.components().map(|part| part.as_os_str().as_bytes());
    let bytes = parts.flat_map(|part| part.iter().copied().chain([0]));
    fnv(bytes).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_path_depends_on_its_parts_only() {
        assert_eq!(hash_of(Path::new("/a/b")), hash_of(Path::new("/a//./b/")));
        assert_ne!(hash_of(Path::new("/a/b")), hash_of(Path::new("/ab")));
        assert_eq!(hash_of(Path::new("/a/b")), hash_of(Path::new("/a/b")));
    }
}
