//! Creation of jobs and insertion of units.
//!
//! A job whose units come from a long stream is created `partial`, filled in transactions of bounded size, and
//! becomes visible with the last one: a crash leaves either the whole job or none that anybody sees.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::connection::DbConnection;
#[cfg(feature = "postgres")]
use super::connection::on_server;
use super::creation::put_creation;
use super::failure::Failure;
use super::jobs::lock_visible;
#[cfg(feature = "postgres")]
use super::postgres;
use super::schema::{jobs, specs, units as rows};
use super::statement::statement;
use super::written::may_stand;
use super::{SameKey, Store, StoreError};
use super::{groups, metadata};
use crate::model::{Contents, JobId, JobStatus, NewJob, NewUnit, Seq, Timestamp, Unit, UnitId};

/// What became of a creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateOutcome {
    /// A job was made.
    Created(JobId),
    /// A job with the same key was there already; nothing was changed.
    Existing(JobId),
}

statement! {
    pub(super) struct InsertUnit<'a> {
        "INSERT INTO units (status, attempts, crashes, id, key, payload) VALUES ('pending', 0, 0, "
            id: i64 as BigInt,
        ", " key: &'a str as Text,
        ", " payload: &'a str as Text,
    }
    ") ON CONFLICT (job_id, key) WHERE key IS NOT NULL DO NOTHING"
}

statement! {
    // One without a key cannot have the key of another: there is no conflict to look for, and it enters no index of keys.
    pub(super) struct InsertNameless<'a> {
        "INSERT INTO units (status, attempts, crashes, id, payload) VALUES ('pending', 0, 0, "
            id: i64 as BigInt,
        ", " payload: &'a str as Text,
    }
    ")"
}

statement! {
    struct InsertGrouped<'a> {
        "INSERT INTO units (status, attempts, crashes, id, key, payload, grp) VALUES ('pending', 0, 0, "
            id: i64 as BigInt,
        ", " key: Option<&'a str> as Nullable<Text>,
        ", " payload: &'a str as Text,
        ", " group: &'a str as Text,
    }
    ") ON CONFLICT (job_id, key) WHERE key IS NOT NULL DO NOTHING"
}

#[derive(Insertable)]
#[diesel(table_name = jobs, treat_none_as_default_value = false)]
struct NewJobRow<'a> {
    uid: String,
    name: &'a str,
    key: Option<&'a str>,
    handler: &'a str,
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
        self.write("create the job", |conn| create_in(conn, new, first, all, now))
    }

    /// Appends units to a job in one transaction and returns how many there were; those with a key that the job has
    /// already are treated as said.
    ///
    /// A job that had ended becomes paused: it has something to do again.
    pub fn append_units(&mut self, job: JobId, units: &[NewUnit], same_key: SameKey) -> Result<usize, StoreError> {
        self.write("add units", |conn| append_in(conn, job, units, same_key))
    }

    #[cfg(feature = "sources")]
    /// Returns the job that has the key of a new one.
    ///
    /// # Errors
    /// As for [`Store::create_job`].
    pub fn job_of_same_key(&mut self, new: &NewJob) -> Result<Option<JobId>, StoreError> {
        self.read("look for the job", |conn| job_with_key(conn, new.key.as_deref()))
    }

    /// Makes a job visible whose last unit has been inserted; `contents` are all of its units.
    pub fn finish_creation(&mut self, job: JobId, new: &NewJob, contents: Contents) -> Result<(), StoreError> {
        self.write("create the job", |conn| {
            put_creation(conn, job, new, contents)?;
            let changed = diesel::update(jobs::table.find(job.0).filter(jobs::status.eq(JobStatus::Partial.as_str())))
                .set(jobs::status.eq(JobStatus::Created.as_str()))
                .execute(conn)?;
            if changed == 0 { Err(StoreError::JobNotFound(job).into()) } else { Ok(()) }
        })
    }
}

/// Creates a job with its first units inside a transaction; it is visible at once when these are `all`.
pub(super) fn create_in(
    conn: &mut DbConnection,
    new: &NewJob,
    first: &[NewUnit],
    all: bool,
    now: Timestamp,
) -> Result<CreateOutcome, Failure> {
    new.check_words()?;
    if let Some(existing) = job_with_key(conn, new.key.as_deref())? {
        return Ok(CreateOutcome::Existing(existing));
    }
    refuse_reserved_keys(first)?;
    let status = if all { JobStatus::Created } else { JobStatus::Partial };
    let row = NewJobRow {
        uid: uuid::Uuid::now_v7().to_string(),
        name: &new.name,
        key: new.key.as_deref(),
        handler: &new.handler,
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
    diesel::insert_into(specs::table).values((specs::job_id.eq(id), specs::spec.eq(&new.spec))).execute(conn)?;
    metadata::put_new(conn, JobId(id), new)?;
    insert_units(conn, JobId(id), first, SameKey::Refuse)?;
    if all {
        let mut contents = Contents::default();
        contents.add_all(first);
        put_creation(conn, JobId(id), new, contents)?;
    }
    Ok(CreateOutcome::Created(JobId(id)))
}

/// Appends units inside a transaction; see [`Store::append_units`].
pub(super) fn append_in(
    conn: &mut DbConnection,
    job: JobId,
    units: &[NewUnit],
    same_key: SameKey,
) -> Result<usize, Failure> {
    refuse_reserved_keys(units)?;
    let is_visible = lock_visible(conn, job)?.is_some();
    // Only its creation adds to a job that nobody sees: one that is being deleted gets no more units.
    if !is_visible && same_key == SameKey::LeaveOut {
        return Err(StoreError::JobNotFound(job).into());
    }
    let added = insert_units(conn, job, units, same_key)?;
    if is_visible && added > 0 {
        super::finalizer::retire_finalizer(conn, job, Timestamp::now())?;
    }
    if is_visible {
        super::steer::reopen(conn, job)?;
    }
    Ok(added)
}

fn refuse_reserved_keys(units: &[NewUnit]) -> Result<(), Failure> {
    let mut keys = units.iter().filter_map(|unit| unit.key.as_deref());
    match keys.find(|key| key.starts_with(Unit::RESERVED_KEYS)) {
        Some(key) => Err(StoreError::ReservedUnitKey { key: key.to_owned() }.into()),
        None => Ok(()),
    }
}

/// Returns the job that has a key.
pub(super) fn job_with_key(conn: &mut DbConnection, key: Option<&str>) -> Result<Option<JobId>, Failure> {
    let Some(key) = key.filter(|key| may_stand(conn, key)) else { return Ok(None) };
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

/// Inserts units after the last one, counts them in the job, and returns how many there were.
pub(super) fn insert_units(
    conn: &mut DbConnection,
    job: JobId,
    units: &[NewUnit],
    same_key: SameKey,
) -> Result<usize, Failure> {
    let before: i64 = jobs::table
        .find(job.0)
        .select(jobs::total)
        .first(conn)
        .optional()?
        .ok_or(Failure::Store(StoreError::JobNotFound(job)))?;
    let mut last = before;
    groups::add_groups_of(conn, job, units)?;
    #[cfg(feature = "postgres")]
    let units = match on_server(conn) {
        true => {
            last = postgres::insert(conn, job, before, units, same_key)?;
            &[]
        }
        false => units,
    };
    for unit in units {
        if last >= Seq::MAX.0 {
            return Err(StoreError::TooManyUnits { job, limit: Seq::MAX.0 }.into());
        }
        let id = UnitId::new(job, Seq(last + 1)).raw();
        let payload = &unit.payload;
        let inserted = match (unit.key.as_deref(), unit.group.as_deref()) {
            (key, Some(group)) => InsertGrouped { id, key, payload, group }.execute(conn)?,
            (Some(key), None) => InsertUnit { id, key, payload }.execute(conn)?,
            (None, None) => InsertNameless { id, payload }.execute(conn)?,
        };
        match (inserted, &unit.key, same_key) {
            (0, Some(key), SameKey::Refuse) => {
                let named = rows::table.filter(rows::job_id.eq(job.0)).filter(rows::key.eq(key.as_str()));
                let first = named.select(rows::seq).first(conn)?;
                let (first, second) = (Seq(first), Seq(last + 1));
                return Err(StoreError::DuplicateUnitKey { first, second, key: key.clone() }.into());
            }
            (0, _, _) => {}
            (_, _, _) => last += 1,
        }
    }
    let added = last - before;
    diesel::update(jobs::table.find(job.0))
        .set((
            jobs::total.eq(jobs::total + added),
            jobs::pending.eq(jobs::pending + added),
            jobs::revision.eq(jobs::revision + 1),
        ))
        .execute(conn)?;
    Ok(usize::try_from(added).expect("no more were added than a slice holds"))
}
