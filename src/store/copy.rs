//! A job that is copied into another database.
//!
//! The copy is `partial`, seen by nobody, until it is complete. A job that moves is cancelled before its copy is shown: until
//! then the complete copy is *held*, which a sweep leaves alone, so that a death in between leaves either the job as it was
//! or a copy that only has to be shown.

mod error;
mod read;
mod rows;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text as SqlText};
use serde::{Deserialize, Serialize};

use super::columns::Json;
use super::connection::DbConnection;
use super::create::job_with_key;
use super::delete::LockPartial;
use super::failure::Failure;
use super::jobs::lock_job;
use super::metadata::{self, key};
use super::schema::{
    attempts, failure_kinds, flags as doubts, jobs, made_paths, managers, metadata as texts, meters, specs, spends,
    unit_groups, unit_notes, units,
};
use super::statement::statement;
use super::steer::cancel_idle;
use super::{Store, StoreError, groups};
use crate::model::{JobId, JobStatus, Timestamp, UnitId};

pub use error::CopyRefused;
pub use read::{CopiedJob, CopiedPart, CopiedUnits};
use rows::{GroupColumns, ManagerColumns, MetadataColumns, MeterColumns, SpecColumns, Text};

const PARTIAL: &str = JobStatus::Partial.as_str();
/// Rows that one statement inserts: SQLite binds 32,766 values at most.
const ROWS_PER_STATEMENT: usize = 1_000;

/// A copy that nobody sees yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartialCopy {
    /// Its number in its database.
    pub job: JobId,
    /// Its uid.
    pub uid: String,
    /// How many units it has.
    pub units: i64,
    /// Number of the changes that clients had made to the job when it was copied.
    pub revision: i64,
    becomes: Becomes,
}

/// What a copy becomes when it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Becomes {
    status: String,
    finished_at: Option<i64>,
}

statement! {
    struct Show<'a> {
        "UPDATE jobs SET status = " status: &'a str as SqlText,
        ", finished_at = " finished_at: Option<i64> as Nullable<BigInt>,
        " WHERE status = 'partial' AND id = " job: i64 as BigInt,
    }
    ""
}

/// Inserts rows of one table.
#[cfg(not(feature = "postgres"))]
macro_rules! insert {
    ($conn:ident, $table:expr, $rows:ident) => {
        for rows in $rows.chunks(ROWS_PER_STATEMENT) {
            diesel::insert_into($table).values(rows).execute($conn)?;
        }
    };
}

/// Inserts rows of one table; only the connections themselves take many at once.
#[cfg(feature = "postgres")]
macro_rules! insert {
    ($conn:ident, $table:expr, $rows:ident) => {
        for rows in $rows.chunks(ROWS_PER_STATEMENT) {
            match $conn {
                DbConnection::Postgres(conn) => diesel::insert_into($table).values(rows).execute(conn)?,
                DbConnection::Sqlite(conn) => diesel::insert_into($table).values(rows).execute(conn)?,
            };
        }
    };
}

impl Store {
    /// Begins a copy, which nobody sees; the caller holds the lock under which jobs are created.
    ///
    /// # Errors
    /// [`CopyRefused::Copied`] when there is a copy of that job, and [`CopyRefused::KeyTaken`] when another job has its key.
    pub fn begin_copy(&mut self, of: CopiedJob) -> Result<PartialCopy, StoreError> {
        self.write("copy the job", |conn| {
            let CopiedJob { mut row, spec, texts: rows, managers: runs, meters: counted, groups } = of.clone();
            let uid = uuid::Uuid::now_v7().to_string();
            let origin = std::mem::replace(&mut row.uid, Text(uid.clone()));
            if let Some(job) = copy_of(conn, &origin.0)? {
                return Err(StoreError::from(CopyRefused::Copied { job }).into());
            }
            let key = row.key.as_ref().map(|key| key.0.as_str());
            if let Some((job, key)) = job_with_key(conn, key)?.zip(key) {
                return Err(StoreError::from(CopyRefused::KeyTaken { job, key: key.to_owned() }).into());
            }
            let becomes = Becomes { status: row.status.0, finished_at: row.finished_at.take() };
            row.status = Text(PARTIAL.to_owned());
            let job: i64 = diesel::insert_into(jobs::table).values(&row).returning(jobs::id).get_result(conn)?;
            diesel::insert_into(specs::table).values(SpecColumns { job_id: job, ..spec }).execute(conn)?;
            let texts: Vec<_> = rows.into_iter().map(|text| MetadataColumns { job_id: job, ..text }).collect();
            insert!(conn, texts::table, texts);
            metadata::put(conn, JobId(job), key::COPIED_FROM, &origin.0)?;
            let own = |run| ManagerColumns { job_id: job, uid: Text(uuid::Uuid::now_v7().to_string()), ..run };
            let runs: Vec<_> = runs.into_iter().map(own).collect();
            insert!(conn, managers::table, runs);
            let counted: Vec<_> = counted.into_iter().map(|row| MeterColumns { job_id: job, ..row }).collect();
            insert!(conn, meters::table, counted);
            // It is to be read again there: ranges are not copied.
            let own = |row| GroupColumns { job_id: job, read_through: 0, ..row };
            let groups: Vec<_> = groups.into_iter().map(own).collect();
            insert!(conn, unit_groups::table, groups);
            Ok(PartialCopy { job: JobId(job), uid, units: row.total, revision: row.revision, becomes })
        })
    }

    /// Returns the copies of a job that nobody sees.
    pub fn partial_copies(&mut self, uid: &str) -> Result<Vec<JobId>, StoreError> {
        self.read("look for interrupted copies", |conn| {
            let copies = jobs::table.inner_join(texts::table).filter(jobs::status.eq(PARTIAL)).select(jobs::id);
            let of_job = copies.filter(texts::key.eq(key::COPIED_FROM).and(texts::value.eq(uid)));
            Ok(of_job.load(conn)?.into_iter().map(JobId).collect())
        })
    }

    /// Adds units to a copy.
    pub fn add_copied(&mut self, copy: &PartialCopy, page: CopiedUnits) -> Result<(), StoreError> {
        let CopiedUnits { mut units, mut attempts, mut notes, mut kinds, mut made, mut spends, mut flags, mut groups } =
            page;
        let renumber = |id: &mut i64| *id = UnitId::new(copy.job, UnitId::from_raw(*id).seq()).raw();
        units.iter_mut().for_each(|row| renumber(&mut row.id));
        attempts.iter_mut().for_each(|row| renumber(&mut row.unit_id));
        notes.iter_mut().for_each(|row| renumber(&mut row.unit_id));
        kinds.iter_mut().for_each(|row| renumber(&mut row.unit_id));
        made.iter_mut().for_each(|row| renumber(&mut row.unit_id));
        spends.iter_mut().for_each(|row| renumber(&mut row.unit_id));
        flags.iter_mut().for_each(|row| renumber(&mut row.unit_id));
        groups.iter_mut().for_each(|(unit, _)| renumber(unit));
        self.write("copy units", |conn| {
            if (LockPartial { id: copy.job.0 }).execute(conn)? == 0 {
                return Err(StoreError::JobNotFound(copy.job).into());
            }
            insert!(conn, units::table, units);
            groups::put_groups(conn, groups.iter().map(|(unit, group)| (*unit, group.0.as_str())))?;
            insert!(conn, attempts::table, attempts);
            insert!(conn, unit_notes::table, notes);
            insert!(conn, failure_kinds::table, kinds);
            insert!(conn, made_paths::table, made);
            insert!(conn, spends::table, spends);
            insert!(conn, doubts::table, flags);
            Ok(())
        })
    }

    /// Keeps a copy that has all of its units from being swept, until it is shown.
    pub fn hold_copy(&mut self, copy: &PartialCopy) -> Result<(), StoreError> {
        let becomes = serde_json::to_string(&copy.becomes).expect("a word and a number are JSON");
        self.write("copy the job", |conn| metadata::put(conn, copy.job, key::HELD_COPY, &becomes))
    }

    /// Returns the copy that a job moved to, if it has not been shown yet.
    pub fn held_copy(&mut self, uid: &str) -> Result<Option<PartialCopy>, StoreError> {
        self.read("look for the copy", |conn| {
            let row = jobs::table.filter(jobs::uid.eq(uid)).select((jobs::id, jobs::total, jobs::revision));
            let Some((job, units, revision)) = row.first::<(i64, i64, i64)>(conn).optional()? else { return Ok(None) };
            let held = texts::table.find((job, key::HELD_COPY)).select(texts::value);
            let becomes: Option<Json<Becomes>> = held.first(conn).optional()?;
            let copy = |Json(becomes)| PartialCopy { job: JobId(job), uid: uid.to_owned(), units, revision, becomes };
            Ok(becomes.map(copy))
        })
    }

    /// Shows a copy, in the state that its job was in.
    pub fn show_copy(&mut self, copy: &PartialCopy) -> Result<(), StoreError> {
        self.write("copy the job", |conn| {
            diesel::delete(texts::table.find((copy.job.0, key::HELD_COPY))).execute(conn)?;
            let Becomes { status, finished_at } = &copy.becomes;
            let shown = Show { status, finished_at: *finished_at, job: copy.job.0 }.execute(conn)?;
            if shown == 0 { Err(StoreError::JobNotFound(copy.job).into()) } else { Ok(()) }
        })
    }

    /// Notes that a job moves to a held copy, and cancels what is left of it, which is told; the caller holds the job's lock.
    ///
    /// # Errors
    /// [`CopyRefused::ChangedMeanwhile`] when somebody has changed it since it was copied.
    pub fn leave_to_copy(
        &mut self,
        job: JobId,
        copy: &PartialCopy,
        reason: &str,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.write("cancel the job", |conn| {
            let row = lock_job(conn, job)?;
            if row.revision != copy.revision {
                return Err(StoreError::from(CopyRefused::ChangedMeanwhile { job }).into());
            }
            let is_left = !row.status.is_terminal() || row.progress.unfinished() > 0;
            if is_left {
                cancel_idle(conn, job, reason, now)?;
            }
            metadata::put(conn, job, key::MOVED_TO, &copy.uid)?;
            Ok(is_left)
        })
    }

    /// Returns the uid of the copy that a job has moved to.
    pub fn moved_to(&mut self, job: JobId) -> Result<Option<String>, StoreError> {
        self.read("read the job", |conn| {
            Ok(texts::table.find((job.0, key::MOVED_TO)).select(texts::value).first(conn).optional()?)
        })
    }
}

/// Returns the copy of a job that this database has, by the job's uid.
fn copy_of(conn: &mut DbConnection, uid: &str) -> Result<Option<JobId>, Failure> {
    let found = texts::table.filter(texts::key.eq(key::COPIED_FROM)).filter(texts::value.eq(uid));
    Ok(found.select(texts::job_id).first(conn).optional()?.map(JobId))
}
