//! What the rows say of jobs at one moment, read in one transaction: all that tells where a job stands.
//!
//! A page of jobs takes the same number of statements however many of them have ended: of those neither units nor a manager's
//! record are read, but for the records of some that ended a moment ago, whose managers may live on.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::columns::Checked;
use super::connection::{DbConnection, on_server};
use super::failure::Failure;
use super::feed::DataVersion;
use super::jobs::{found_jobs, job_row};
use super::manager_writes::resources_in;
use super::managers::{Record, records_of};
use super::metadata::{Texts, key};
use super::meters::spending;
use super::settings::{machine_workers_text, read_machine_workers};
use super::specs::{numbers, specs_of};
use super::statement::statement;
use super::{Store, StoreError, groups, postgres};
use crate::model::{
    DatabaseFile, Epoch, FoundJobs, GroupsStatus, Job, JobFilter, JobId, JobStatus, LeaseHolder, ManagerRecord,
    ResourcesOfAll, Seq, Spending, Timestamp, UnitId,
};

/// Time after which no manager of a job that has ended lives any more, however long its last hooks and callbacks take.
const LAST_TIME: Duration = Duration::from_secs(120);
/// Most managers of jobs that have just ended that are looked at for one page, which may hold any number of such jobs.
const MOST_LAST: usize = 100;

/// How much is read of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Its row and what its latest manager wrote about itself, whatever state it is in: for who acts on it.
    Manager,
    /// Its row, and while it is running, or has just ended, what its manager wrote about itself and what its units do.
    Running,
    /// The same of every job that has not ended and the settings of its handler, and texts about each job: labels, errors.
    Whole,
}

impl Extent {
    /// Returns `true` if it is asked who manages a job.
    fn asks_for_manager(self, job: &Job, may_live_on: bool) -> bool {
        match self {
            Self::Manager => true,
            Self::Running => job.status == JobStatus::Running || may_live_on,
            Self::Whole => !job.status.is_terminal() || may_live_on,
        }
    }
}

/// What is read of a job at one moment.
#[derive(Debug)]
pub struct JobRows {
    /// Its row.
    pub job: Job,
    /// What its latest manager wrote about itself, where the extent asks for that.
    pub record: Record,
    /// Its managers that have a lease, or had one that nobody has taken over, where the extent asks for its manager; none of a
    /// database that has no leases.
    pub holders: Option<Vec<LeaseHolder>>,
    /// The settings of its handler, of a job that has not ended, where the extent asks for that.
    pub spec: Option<Result<String, StoreError>>,
    /// Whether its manager is to be looked at.
    pub asks_for_manager: bool,
    /// What its meters have counted, where the extent does not only ask for its manager.
    pub spending: Vec<Spending>,
    /// Where its groups stand, if it has some.
    pub groups: Option<GroupsStatus>,
    /// Texts about it.
    pub texts: JobTexts,
    /// What its units do while it is running.
    pub units: UnitsUnderWay,
    /// The limit over all jobs, for a job that is running and has no unit under way.
    pub machine_workers: Result<Option<usize>, StoreError>,
    /// What [`Store::data_version`] was at that moment; none of a job that no manager changes.
    pub version: Option<i64>,
}

impl JobRows {
    /// Returns what its latest manager wrote about itself, if that can be read.
    pub fn known_record(&self) -> Option<&ManagerRecord> {
        self.record.as_ref().ok()?.as_ref()
    }

    /// Returns `true` if its manager lets no unit start any more.
    pub fn is_stopping(&self) -> bool {
        self.known_record().is_some_and(|record| record.stopping.is_some())
    }

    /// Returns `true` if a signal to its manager paused it, and nobody's request.
    pub fn was_stopped_by_signal(&self) -> bool {
        self.known_record().is_some_and(|record| record.stopped_by_signal)
    }
}

/// Texts that its creator and its managers have left about a job.
#[derive(Debug, Default)]
pub struct JobTexts {
    /// Words of its creator about it.
    pub labels: BTreeMap<String, String>,
    /// Error that ended its manager.
    pub error: Option<String>,
    /// The first panic in a callback.
    pub callback_error: Option<String>,
    /// The uid of the job that it is a copy of.
    pub copied_from: Option<String>,
    /// What its attempts have taken of the machine.
    pub resources: ResourcesOfAll,
}

impl JobTexts {
    fn of(mut texts: Texts) -> JobTexts {
        let (error, callback_error) = (texts.take(key::ERROR), texts.take(key::CALLBACK_ERROR));
        let copied_from = texts.take(key::COPIED_FROM);
        let resources = resources_in(&texts);
        JobTexts { resources, error, callback_error, copied_from, labels: texts.labels() }
    }
}

/// What the units of a running job do.
#[derive(Debug, Default)]
pub struct UnitsUnderWay {
    /// When the first of them may run, if all that are left have failed and wait for their next attempt.
    pub retry_at: Option<Timestamp>,
    /// Why that one was postponed, if it was.
    pub postponed: Option<String>,
    /// The unit whose attempt has been under way for longest, and since when.
    pub oldest: Option<(Seq, Timestamp)>,
}

type UnderWayColumns = (BigInt, Nullable<BigInt>, Bool, Nullable<BigInt>, Nullable<BigInt>, Nullable<Text>);
type UnderWayRow = (i64, Option<i64>, bool, Option<i64>, Option<i64>, Option<Checked<String>>);

/// What units do in each of some jobs.
macro_rules! under_way {
    ($by_time:literal, $running:literal, $numbers:literal) => {
        concat!(
            "WITH under_way AS MATERIALIZED (SELECT jobs.id, (SELECT min(not_before) FROM units",
            $by_time,
            " WHERE not_before IS NOT NULL AND job_id = jobs.id) AS due, \
             EXISTS (SELECT 1 FROM units WHERE units.id > (jobs.id << 32) + claimed_through AND units.id < (jobs.id + 1) << 32 \
                 AND status = 'pending' AND not_before IS NULL) AS has_fresh, \
             (SELECT running.id FROM ",
            $running,
            " ORDER BY started_at LIMIT 1) AS oldest \
             FROM jobs WHERE jobs.id IN (",
            $numbers
        )
    };
}

/// Ends the statement: with why the first unit was postponed that is due, where no other waits for its first attempt.
macro_rules! postponed {
    ($end:literal, $by_time:literal) => {
        concat!(
            $end,
            " SELECT under_way.id, due, has_fresh, oldest, started_at, CASE WHEN NOT has_fresh THEN \
             (SELECT CASE cause WHEN 'postponed' THEN attempts.error END FROM attempts WHERE unit_id = \
                 (SELECT first.id FROM units AS first",
            $by_time,
            " WHERE first.job_id = under_way.id AND not_before IS NOT NULL AND not_before = due LIMIT 1) \
             ORDER BY attempts.id DESC LIMIT 1) END FROM under_way LEFT JOIN units ON units.id = oldest"
        )
    };
}

const UNDER_WAY: &str = under_way!(
    " INDEXED BY units_waiting",
    "units AS running INDEXED BY units_running WHERE status = 'running' AND running.id BETWEEN jobs.id << 32 AND (jobs.id << 32) + 4294967295",
    "SELECT value FROM json_each("
);
// No index of a server names a state: those that run are in ranges, if any are.
#[cfg(feature = "postgres")]
const UNDER_WAY_ON_POSTGRES: &str = under_way!(
    "",
    "ranges CROSS JOIN LATERAL (SELECT id, started_at FROM units WHERE status = 'running' \
     AND id BETWEEN (ranges.job_id << 32) + ranges.first AND (ranges.job_id << 32) + ranges.last OFFSET 0) AS running \
     WHERE ranges.job_id = jobs.id AND 0 < jobs.running + (SELECT coalesce(sum(running_shift), 0) FROM managers AS live WHERE live.state = 'live' AND live.job_id = jobs.id)",
    "SELECT value::bigint FROM json_array_elements_text(("
);

const POSTPONED: &str = postponed!(")))", " INDEXED BY units_waiting");
#[cfg(feature = "postgres")]
const POSTPONED_ON_POSTGRES: &str = postponed!(")::json)))", "");

statement! {
    // One that came back has a time, and is found by that; those after the cursor wait for their first attempt.
    struct UnderWay {
        [UNDER_WAY UNDER_WAY_ON_POSTGRES] jobs: String as Text,
    }
    [POSTPONED POSTPONED_ON_POSTGRES] -> UnderWayColumns
}

impl Store {
    /// Reads a job at one moment.
    pub fn snapshot(&mut self, job: JobId, extent: Extent, now: Timestamp) -> Result<JobRows, StoreError> {
        let place = self.file.clone();
        self.read("read the job", |conn| {
            let job = job_row(conn, job)?;
            Ok(rows_of(conn, vec![job], &place, extent, now)?.pop().expect("one for each job"))
        })
    }

    /// Reads jobs at one moment, the newest first, those that cannot be read separately.
    pub fn snapshots(
        &mut self,
        filter: &JobFilter,
        extent: Extent,
        now: Timestamp,
    ) -> Result<FoundJobs<JobRows>, StoreError> {
        let place = self.file.clone();
        self.read("list jobs", |conn| {
            let FoundJobs { jobs, unreadable } = found_jobs(conn, filter)?;
            Ok(FoundJobs { jobs: rows_of(conn, jobs, &place, extent, now)?, unreadable })
        })
    }
}

fn rows_of(
    conn: &mut DbConnection,
    jobs: Vec<Job>,
    place: &DatabaseFile,
    extent: Extent,
    now: Timestamp,
) -> Result<Vec<JobRows>, Failure> {
    let mut last = 0;
    let asks_for_manager = |job: &Job| {
        let has_just_ended = job.finished_at.is_some_and(|at| now.since(at) < LAST_TIME);
        last += usize::from(has_just_ended);
        extent.asks_for_manager(job, has_just_ended && last <= MOST_LAST)
    };
    let asked: Vec<bool> = jobs.iter().map(asks_for_manager).collect();
    let managed = jobs.iter().zip(&asked).filter(|(job, asked)| **asked && job.epoch > Epoch(0));
    let managed = ids(managed.map(|(job, _)| job));
    let is_whole = extent == Extent::Whole;
    let mut texts = Texts::of_jobs(conn, &if is_whole { ids(&jobs) } else { managed.clone() })?;
    let mut records = records_of(conn, &managed, place, &mut texts)?;
    let mut holders = if on_server(conn) { Some(postgres::holders(conn, &managed)?) } else { None };
    let unended = jobs.iter().filter(|job| is_whole && !job.status.is_terminal());
    let mut specs = specs_of(conn, &ids(unended))?;
    let mut units = if extent == Extent::Manager { HashMap::new() } else { units_under_way(conn, &jobs, now)? };
    let is_running = |job: &Job| job.status == JobStatus::Running;
    let version = if jobs.iter().any(is_running) { Some(DataVersion {}.get_result(conn)?) } else { None };
    let is_idle = |job: &Job| is_running(job) && job.progress.running == 0 && job.progress.pending > 0;
    let machine_workers =
        if extent != Extent::Manager && jobs.iter().any(is_idle) { machine_workers_text(conn)? } else { None };
    let metered = jobs.iter().filter(|job| extent != Extent::Manager && !job.limits.meters.is_empty());
    let metered = metered.map(|job| job.id);
    let spent = metered.map(|job| Ok((job, spending(conn, job)?)));
    let mut spent = spent.collect::<Result<HashMap<JobId, Vec<Spending>>, Failure>>()?;
    let grouped = jobs
        .iter()
        .filter(|job| is_whole && !job.status.is_terminal())
        .filter_map(|job| Some((job.id, job.limits.groups.as_ref()?)));
    let grouped = grouped.map(|(job, of_each)| Ok((job, groups::status(conn, job, of_each, now)?)));
    let mut grouped = grouped.collect::<Result<HashMap<JobId, GroupsStatus>, Failure>>()?;
    let rows = jobs.into_iter().zip(asked).map(|(job, asks_for_manager)| JobRows {
        asks_for_manager,
        groups: grouped.remove(&job.id),
        spending: spent.remove(&job.id).unwrap_or_default(),
        record: records.remove(&job.id).unwrap_or(Ok(None)),
        holders: holders.as_mut().map(|holders| holders.remove(&job.id).unwrap_or_default()),
        spec: specs.remove(&job.id).map(|spec| spec.map_err(StoreError::from)),
        texts: texts.remove(&job.id).filter(|_| is_whole).map(JobTexts::of).unwrap_or_default(),
        units: units.remove(&job.id).unwrap_or_default(),
        version: version.filter(|_| is_running(&job)),
        machine_workers: machine_workers.as_deref().filter(|_| is_idle(&job)).map(read_machine_workers).transpose(),
        job,
    });
    Ok(rows.collect())
}

fn ids<'a>(jobs: impl IntoIterator<Item = &'a Job>) -> Vec<JobId> {
    jobs.into_iter().map(|job| job.id).collect()
}

fn units_under_way(
    conn: &mut DbConnection,
    jobs: &[Job],
    now: Timestamp,
) -> Result<HashMap<JobId, UnitsUnderWay>, Failure> {
    let running = jobs.iter().filter(|job| job.status == JobStatus::Running).collect::<Vec<_>>();
    if running.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<UnderWayRow> = UnderWay { jobs: numbers(&ids(running)) }.load(conn)?;
    let of_row = |(job, due, has_fresh, oldest, started, reason): UnderWayRow| {
        let due = due.map(Timestamp::from_micros).filter(|due| *due > now && !has_fresh);
        let oldest = oldest.zip(started).map(|(id, at)| (UnitId::from_raw(id).seq(), Timestamp::from_micros(at)));
        let postponed = reason.filter(|_| due.is_some()).map(|reason| reason.shown().to_owned());
        (JobId(job), UnitsUnderWay { retry_at: due, postponed, oldest })
    };
    Ok(rows.into_iter().map(of_row).collect())
}
