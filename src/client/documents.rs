//! What readers and writers are answered, as the documents that every face hands out: `--json`, HTTP.
//!
//! Each has the number of its schema; adding a field keeps it.

use std::time::Duration;

use serde::Serialize;

use super::explain::Explanation;
use super::{Client, ClientError, ManagerStatus, Snapshot, Started, UnitsSwept};
use crate::model::{
    AttemptRecord, Charts, FailureCluster, Flag, FoundJobs, FoundUnits, JobFilter, JobId, Lanes, PastAttempt,
    Postponed, Retrying, Seq, Strips, Timestamp, UnitDetail, UnitFilter, UnitNotes, UnitOrder, UnitStatus, Unreadable,
    Why, unit_token,
};

const SCHEMA: u32 = 1;

/// Which job a document is about.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct JobRef {
    id: JobId,
}

/// Jobs, in the order that was asked for.
#[derive(Debug, Clone, Serialize)]
pub struct JobList {
    schema: u32,
    jobs: Vec<ManagerStatus>,
    /// How many more there are than were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unreadable>,
}

/// One page of the units of a job.
#[derive(Debug, Clone, Serialize)]
pub struct UnitPage {
    schema: u32,
    job: JobRef,
    #[serde(flatten)]
    pub found: FoundUnits,
}

/// What pictures of a job are drawn from.
#[derive(Debug, Clone, Serialize)]
pub struct ChartsDocument {
    schema: u32,
    job: JobRef,
    #[serde(flatten)]
    pub charts: Charts,
}

/// Who ran when in the slots of a job.
#[derive(Debug, Clone, Serialize)]
pub struct LanesDocument {
    schema: u32,
    job: JobRef,
    #[serde(flatten)]
    pub lanes: Lanes,
}

/// When units of some jobs, and of the database, ended.
#[derive(Debug, Clone, Serialize)]
pub struct StripsDocument {
    schema: u32,
    #[serde(flatten)]
    pub strips: Strips,
}

/// Everything about one unit.
#[derive(Debug, Clone, Serialize)]
pub struct UnitView {
    schema: u32,
    job: JobRef,
    /// The command as it would be typed into a shell; none for a job without commands.
    pub command: Option<String>,
    pub unit: UnitDetail,
    pub notes: UnitNotes,
    /// What is doubtful about it, and what was decided; none where nobody has flagged the attempt that completed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag: Option<Flag>,
    /// How often it was postponed since it was last sent back, and how long it has waited; none where it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postponed: Option<PostponedView>,
    /// The name of the unit for those whom it asks, the same in every attempt.
    pub token: String,
    pub attempts_not_completed: Vec<AttemptRecord>,
}

/// How often a unit was postponed.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct PostponedView {
    pub times: u32,
    pub waited_seconds: u64,
}

/// The failed units of a job by kind.
#[derive(Debug, Clone, Serialize)]
pub struct FailureReport {
    schema: u32,
    job: JobRef,
    failed: i64,
    /// Units that failed and wait for another attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retrying: Option<Retrying>,
    /// The kinds, the most frequent first.
    pub clusters: Vec<FailureCluster>,
}

/// Why a job or a unit is where it is.
#[derive(Debug, Clone, Serialize)]
pub struct ExplanationOf {
    schema: u32,
    job: JobRef,
    unit: Option<Seq>,
    cause: Why,
    sentence: String,
    next_step: String,
}

/// How many units a verb changed.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct UnitsChanged {
    schema: u32,
    job: JobRef,
    units_changed: i64,
    /// Number up to which units were looked at, if the time for that ran out.
    #[serde(skip_serializing_if = "Option::is_none")]
    searched_through: Option<Seq>,
}

/// The manager that a start or a resume led to.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ManagerStarted {
    schema: u32,
    job: JobRef,
    /// Its process number, as far as it is known.
    pub pid: Option<u32>,
    /// Whether it was there before.
    pub already_running: bool,
}

/// How many workers a job has now.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct WorkersSet {
    schema: u32,
    job: JobRef,
    workers: usize,
}

impl ExplanationOf {
    /// Says what an explanation is about, and what to do in the words of whoever shows it.
    pub fn new(job: JobId, unit: Option<Seq>, answer: &Explanation, next_step: String) -> Self {
        Self {
            schema: SCHEMA,
            job: JobRef { id: job },
            unit,
            cause: answer.cause,
            sentence: answer.sentence.clone(),
            next_step,
        }
    }
}

impl UnitsChanged {
    /// Says how many units of a job were changed.
    pub fn new(job: JobId, units_changed: i64) -> Self {
        Self::swept(job, UnitsSwept { changed: units_changed, searched_through: None })
    }

    /// Says what a change of units came to.
    pub fn swept(job: JobId, UnitsSwept { changed, searched_through }: UnitsSwept) -> Self {
        Self { schema: SCHEMA, job: JobRef { id: job }, units_changed: changed, searched_through }
    }
}

impl ManagerStarted {
    /// Says what a start of a job led to.
    pub fn new(job: JobId, started: Started) -> Self {
        let already_running = matches!(started, Started::Already { .. });
        Self { schema: SCHEMA, job: JobRef { id: job }, pid: started.pid(), already_running }
    }
}

impl WorkersSet {
    /// Says how many units of a job may run at the same time.
    pub fn new(job: JobId, workers: usize) -> Self {
        Self { schema: SCHEMA, job: JobRef { id: job }, workers }
    }
}

fn past(attempt: &AttemptRecord) -> PastAttempt {
    let AttemptRecord { attempt: number, cause, started_at, ended_at, .. } = *attempt;
    PastAttempt { number, cause, started_at, ended_at }
}

impl Client {
    /// Returns where each of the jobs stands that a filter selects.
    pub fn job_list(&self, filter: &JobFilter) -> Result<JobList, ClientError> {
        let FoundJobs { jobs, unreadable } = self.whole_snapshots(filter)?;
        let more = self.more_jobs(filter, jobs.len() + unreadable.len())?;
        Ok(JobList { schema: SCHEMA, jobs: jobs.iter().map(Snapshot::status).collect(), more, unreadable })
    }

    /// Returns how many jobs there are besides those that were found, if the limit of the filter left some out.
    pub fn more_jobs(&self, filter: &JobFilter, found: usize) -> Result<Option<i64>, ClientError> {
        let found = i64::try_from(found).unwrap_or(i64::MAX);
        if filter.limit.is_none_or(|limit| found < limit) {
            return Ok(None);
        }
        let all = if filter.asks_for_managers() {
            let FoundJobs { jobs, unreadable } = self.snapshots(&JobFilter { limit: None, ..filter.clone() })?;
            i64::try_from(jobs.len() + unreadable.len()).unwrap_or(i64::MAX)
        } else {
            self.count_jobs(filter)?
        };
        Ok(Some(all - found).filter(|more| *more > 0))
    }

    /// Returns a page of units after `after`, and where the next page begins; a search ends after `budget`. In another order than
    /// that of their numbers it has then looked at the first units only, and there is no next page.
    pub fn unit_page(
        &self,
        job: JobId,
        filter: &UnitFilter,
        order: UnitOrder,
        after: Option<Seq>,
        limit: i64,
        budget: Duration,
    ) -> Result<UnitPage, ClientError> {
        let after = after.map(|after| after.clamp(Seq(0), Seq::MAX));
        let found = match order {
            UnitOrder::Seq => self.search_units(job, filter, after, limit, budget)?,
            _ => self.search_sorted(job, filter, order, after, limit, budget)?,
        };
        Ok(UnitPage { schema: SCHEMA, job: JobRef { id: job }, found })
    }

    /// Returns everything about one unit.
    pub fn unit_view(&self, job: JobId, seq: Seq) -> Result<UnitView, ClientError> {
        let row = self.job(job)?;
        let unit = self.unit(job, seq)?;
        let attempts_not_completed = self.attempts(job, seq)?;
        let postponed = Postponed::of(attempts_not_completed.iter().map(past));
        let begun = unit.started_at.filter(|_| unit.status != UnitStatus::Pending);
        let now = begun.or(unit.finished_at).unwrap_or_else(Timestamp::now);
        let waited_seconds = postponed.waited_until(now).as_secs();
        let postponed = PostponedView { times: postponed.times, waited_seconds };
        Ok(UnitView {
            schema: SCHEMA,
            job: JobRef { id: job },
            command: self.command_of(&row, &unit)?,
            attempts_not_completed,
            postponed: Some(postponed).filter(|postponed| postponed.times > 0),
            token: unit_token(&row.uid, seq),
            notes: self.unit_notes(job, seq)?,
            flag: self.flag(job, seq)?,
            unit,
        })
    }

    /// Returns when the units of a job ended and how long they took; see [`Client::charts`].
    pub fn charts_document(&self, job: JobId) -> Result<ChartsDocument, ClientError> {
        Ok(ChartsDocument { schema: SCHEMA, job: JobRef { id: job }, charts: self.charts(job)? })
    }

    /// Returns who ran when in the slots of a job; see [`Client::lanes`].
    pub fn lanes_document(&self, job: JobId) -> Result<LanesDocument, ClientError> {
        Ok(LanesDocument { schema: SCHEMA, job: JobRef { id: job }, lanes: self.lanes(job)? })
    }

    /// Returns when units of some jobs ended; see [`Client::strips`].
    pub fn strips_document(&self, jobs: &[JobId]) -> Result<StripsDocument, ClientError> {
        Ok(StripsDocument { schema: SCHEMA, strips: self.strips(jobs)? })
    }

    /// Returns the failed units of a job, or of one of its groups, by kind; see [`Client::failures`].
    pub fn failure_report(&self, job: JobId, group: Option<&str>) -> Result<FailureReport, ClientError> {
        let clusters = match group {
            None => self.failures(job)?,
            Some(group) => self.failures_of_group(job, group)?,
        };
        let failed = clusters.iter().map(|cluster| cluster.count).sum();
        // Those of one group are not counted.
        let retrying = if group.is_none() { self.snapshot(job)?.retrying } else { None };
        Ok(FailureReport { schema: SCHEMA, job: JobRef { id: job }, failed, retrying, clusters })
    }
}
