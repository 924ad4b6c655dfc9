//! Reading jobs.

use std::collections::HashMap;
use std::time::Duration;

use diesel::dsl::IntoBoxed;
use diesel::prelude::*;

use super::columns::{Checked, Json, Word};
use super::connection::{Db, DbConnection, on_server};
use super::failure::Failure;
use super::schema::{jobs, metadata};
use super::written::may_stand;
use super::{Store, StoreError, postgres};
use crate::model::{
    Epoch, FoundJobs, Hold, Job, JobFilter, JobId, JobStatus, Limits, Progress, Row, StopRequest, Timestamp, Unreadable,
};

#[derive(Queryable, Selectable)]
#[diesel(table_name = jobs, check_for_backend(Db))]
pub(super) struct JobRow {
    id: i64,
    uid: Checked<String>,
    name: Checked<String>,
    key: Option<Checked<String>>,
    handler: Checked<String>,
    limits: Checked<String>,
    status: Checked<Word<JobStatus>>,
    stop_request: Option<Checked<Word<StopRequest>>>,
    stop_grace_ms: Option<i64>,
    hold_until: Option<i64>,
    hold_reason: Option<Checked<String>>,
    epoch: i64,
    revision: i64,
    total: i64,
    pending: i64,
    running: i64,
    completed: i64,
    failed: i64,
    skipped: i64,
    cancelled: i64,
    created_at: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
}

impl JobRow {
    fn job(self, limits: impl FnOnce(String, Row) -> Result<Limits, Unreadable>) -> Result<Job, Unreadable> {
        let row = self;
        let place = Row::Job(JobId(row.id));
        let counters = [row.total, row.pending, row.running, row.completed, row.failed, row.skipped, row.cancelled];
        if let Some(negative) = counters.into_iter().find(|counter| *counter < 0) {
            let (value, reason) = (negative.to_string(), "it is below zero".to_owned());
            return Err(Unreadable { row: place, column: "counter", value, reason });
        }
        Ok(Job {
            id: JobId(row.id),
            uid: row.uid.of(place, "uid")?,
            name: row.name.of(place, "name")?,
            key: row.key.map(|key| key.of(place, "key")).transpose()?,
            handler: row.handler.of(place, "handler")?,
            limits: limits(row.limits.of(place, "limits")?, place)?,
            status: row.status.of(place, "status")?.0,
            epoch: Epoch(row.epoch),
            revision: row.revision,
            stop_request: match row.stop_request {
                Some(request) => Some(request.of(place, "stop_request")?.0),
                None => None,
            },
            stop_grace: row.stop_grace_ms.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0))),
            hold: row.hold_until.zip(row.hold_reason).map(|(until, reason)| Hold {
                until: Timestamp::from_micros(until),
                reason: reason.shown().to_owned(),
            }),
            progress: Progress {
                total: row.total,
                pending: row.pending,
                running: row.running,
                completed: row.completed,
                failed: row.failed,
                skipped: row.skipped,
                cancelled: row.cancelled,
            },
            created_at: Timestamp::from_micros(row.created_at),
            started_at: row.started_at.map(Timestamp::from_micros),
            finished_at: row.finished_at.map(Timestamp::from_micros),
        })
    }
}

impl Store {
    /// Returns a job, unless there is none of that number or it is still being created or deleted.
    pub fn job(&mut self, id: JobId) -> Result<Job, StoreError> {
        self.read("read the job", |conn| job_row(conn, id))
    }

    /// Returns a job that is there; none when its row cannot be read.
    pub fn readable_job(&mut self, id: JobId) -> Result<Option<Job>, StoreError> {
        match self.job(id) {
            Ok(job) => Ok(Some(job)),
            Err(StoreError::Unreadable(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns for each of some jobs what [`Store::readable_job`] does, on one snapshot.
    pub fn readable_jobs(&mut self, jobs: &[JobId]) -> Result<Vec<Result<Option<Job>, StoreError>>, StoreError> {
        let path = self.file.path.clone();
        self.read("read the job", |conn| {
            let read = |&job| match job_row(conn, job) {
                Ok(row) => Ok(Some(row)),
                Err(Failure::Store(StoreError::Unreadable(_))) => Ok(None),
                Err(failure) => Err(failure.during("read the job", &path)),
            };
            Ok(jobs.iter().map(read).collect())
        })
    }

    /// Returns the uid of a job, whether or not its row can be read.
    pub fn job_uid(&mut self, job: JobId) -> Result<String, StoreError> {
        self.read("read the job", |conn| {
            let uid: Option<String> = jobs::table.find(job.0).select(jobs::uid).first(conn).optional()?;
            Ok(uid.ok_or(StoreError::JobNotFound(job))?)
        })
    }

    /// Returns the counters of a job, whether or not the rest of its row can be read.
    pub fn progress(&mut self, job: JobId) -> Result<Progress, StoreError> {
        self.read("read the job", |conn| {
            let counters = (
                jobs::total,
                jobs::pending,
                jobs::running,
                jobs::completed,
                jobs::failed,
                jobs::skipped,
                jobs::cancelled,
            );
            let visible = jobs::table.find(job.0).filter(jobs::status.ne(JobStatus::Partial.as_str()));
            let found: Option<(i64, i64, i64, i64, i64, i64, i64)> = visible.select(counters).first(conn).optional()?;
            let (total, pending, running, completed, failed, skipped, cancelled) =
                found.ok_or(StoreError::JobNotFound(job))?;
            let mut progress = Progress { total, pending, running, completed, failed, skipped, cancelled };
            if on_server(conn) {
                postgres::add_up(conn, std::iter::once((job, &mut progress)))?;
            }
            Ok(progress)
        })
    }

    /// Returns jobs, the newest first, those that cannot be read separately.
    pub fn jobs(&mut self, filter: &JobFilter) -> Result<FoundJobs, StoreError> {
        self.read("list jobs", |conn| found_jobs(conn, filter))
    }

    /// Counts jobs, those that cannot be read among them, whatever the limit of the filter is.
    pub fn count_jobs(&mut self, filter: &JobFilter) -> Result<i64, StoreError> {
        self.read("count jobs", |conn| {
            if !can_fit(conn, filter) {
                return Ok(0);
            }
            Ok(wanted(filter).count().get_result(conn)?)
        })
    }
}

/// Reads the row of a visible job and keeps it as it is for the rest of the transaction, but for the changes of this one: what
/// reads and then writes begins with it. SQLite's writes are immediate transactions, so that no other is under way anyhow; on a
/// server this locks the job.
pub(super) fn lock_job(conn: &mut DbConnection, id: JobId) -> Result<Job, Failure> {
    if on_server(conn) {
        postgres::lock(conn, id)?;
    }
    job_row(conn, id)
}

/// Locks a job as [`lock_job`] does; none that nobody may see yet, or any more.
pub(super) fn lock_visible(conn: &mut DbConnection, id: JobId) -> Result<Option<Job>, Failure> {
    match lock_job(conn, id) {
        Ok(job) => Ok(Some(job)),
        Err(Failure::Store(StoreError::JobNotFound(_))) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Reads one visible job inside a transaction that only reads, or a second time in one that has locked it.
pub(super) fn job_row(conn: &mut DbConnection, id: JobId) -> Result<Job, Failure> {
    // Neither a status nor a limit is bound: SQLite would prepare the statement again at each reading, to look at them.
    let row: Option<JobRow> = jobs::table.find(id.0).select(JobRow::as_select()).get_result(conn).optional()?;
    let mut job = row.map(|row| row.job(|text, place| limits_of(&text, place))).transpose()?;
    if on_server(conn) {
        count_on(conn, &mut job)?;
    }
    job.filter(|job| job.status != JobStatus::Partial).ok_or_else(|| StoreError::JobNotFound(id).into())
}

/// Jobs that run, and then those that will go on when somebody says so.
const UNDER_WAY: [JobStatus; 3] = [JobStatus::Running, JobStatus::Paused, JobStatus::AwaitingApproval];

/// Returns `true` if a job can fit: a store may hold no such text as it asks for.
fn can_fit(conn: &mut DbConnection, filter: &JobFilter) -> bool {
    let texts = filter.label.iter().flat_map(|(name, value)| [name, value]).chain(&filter.key).chain(&filter.name);
    texts.into_iter().all(|text| may_stand(conn, text))
}

/// Selects the jobs that fit, in no order.
fn wanted(filter: &JobFilter) -> IntoBoxed<'_, jobs::table, Db> {
    let mut query = jobs::table.into_boxed().filter(jobs::status.ne(JobStatus::Partial.as_str()));
    if !filter.statuses.is_empty() {
        let wanted = filter.statuses.iter().map(|status| status.as_str());
        // A state of another version may be any of those.
        let known = JobStatus::ALL.iter().map(|status| status.as_str());
        query = query.filter(jobs::status.eq_any(wanted).or(jobs::status.ne_all(known)));
        if !filter.statuses.iter().any(|status| status.is_terminal()) {
            query = query.filter(jobs::finished_at.is_null());
        }
    }
    if let Some((name, value)) = &filter.label {
        let labelled = metadata::table
            .filter(metadata::key.eq(super::metadata::label(name)).and(metadata::value.eq(value)))
            .select(metadata::job_id);
        query = query.filter(jobs::id.eq_any(labelled));
    }
    if let Some(key) = &filter.key {
        query = query.filter(jobs::key.eq(key));
    }
    if let Some(name) = &filter.name {
        query = query.filter(jobs::name.eq(name));
    }
    if let Some(since) = filter.since {
        query = query.filter(jobs::created_at.ge(since.as_micros()));
    }
    if let Some(these) = &filter.jobs {
        query = query.filter(jobs::id.eq_any(these.iter().map(|job| job.0)));
    }
    query
}

/// Reads the rows of visible jobs inside a transaction, in the order that the filter asks for.
fn rows_of(conn: &mut DbConnection, filter: &JobFilter) -> Result<Vec<JobRow>, Failure> {
    let newest = |query: IntoBoxed<'_, jobs::table, Db>, limit: Option<i64>, conn: &mut DbConnection| {
        let query = query.order(jobs::id.desc()).select(JobRow::as_select());
        let query = if let Some(limit) = limit { query.limit(limit) } else { query };
        query.load::<JobRow>(conn)
    };
    if !filter.under_way_first {
        return Ok(newest(wanted(filter), filter.limit, conn)?);
    }
    let mut rows = Vec::new();
    let left = |rows: &Vec<JobRow>| filter.limit.map(|limit| limit - i64::try_from(rows.len()).unwrap_or(i64::MAX));
    // Those that are under way are found by the index of what has not ended, however many others there are.
    for statuses in [&UNDER_WAY[..1], &UNDER_WAY[1..]] {
        let these = statuses.iter().map(|status| status.as_str());
        let query = wanted(filter).filter(jobs::finished_at.is_null()).filter(jobs::status.eq_any(these));
        rows.extend(newest(query, left(&rows), conn)?);
    }
    let under_way = UNDER_WAY.iter().map(|status| status.as_str());
    let others = wanted(filter).filter(jobs::finished_at.is_not_null().or(jobs::status.ne_all(under_way)));
    rows.extend(newest(others, left(&rows), conn)?);
    Ok(rows)
}

/// Reads visible jobs inside a transaction, in the order that the filter asks for.
pub(super) fn found_jobs(conn: &mut DbConnection, filter: &JobFilter) -> Result<FoundJobs, Failure> {
    if !can_fit(conn, filter) {
        return Ok(FoundJobs::default());
    }
    let (mut found, mut known) = (FoundJobs::default(), HashMap::new());
    for row in rows_of(conn, filter)? {
        match row.job(|text, place| known_limits(&mut known, text, place)) {
            Ok(job) => found.jobs.push(job),
            Err(unreadable) => found.unreadable.push(unreadable),
        }
    }
    if on_server(conn) {
        count_on(conn, &mut found.jobs)?;
    }
    Ok(found)
}

/// Adds to the counters of jobs what their managers have recorded beside each other; those of others have none.
fn count_on<'a>(conn: &mut DbConnection, jobs: impl IntoIterator<Item = &'a mut Job>) -> Result<(), Failure> {
    let running = jobs.into_iter().filter(|job| job.status == JobStatus::Running);
    postgres::add_up(conn, running.map(|job| (job.id, &mut job.progress)))
}

/// Reads limits, which most jobs of a page have in common, once for each text.
fn known_limits(known: &mut HashMap<String, Limits>, text: String, place: Row) -> Result<Limits, Unreadable> {
    if let Some(limits) = known.get(&text) {
        return Ok(limits.clone());
    }
    let limits = limits_of(&text, place)?;
    Ok(known.entry(text).or_insert(limits).clone())
}

fn limits_of(text: &str, place: Row) -> Result<Limits, Unreadable> {
    Ok(Checked::<Json<Limits>>::of_text(text).of(place, "limits")?.0)
}
