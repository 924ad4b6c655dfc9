//! The status of a job and its manager, in one value.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::adapted::AdaptedWorkers;
use super::eta::{self, EtaSeconds};
use super::explain::Explanation;
use super::meters::{MeterStatus, meters_of};
use super::projection::Projection;
use super::snapshot::{Snapshot, is_interrupted, word};
use super::{Client, ClientError};
use crate::model::{
    Epoch, GroupsStatus, JobId, JobStatus, ManagerRun, MemorySizes, Progress, ResourcesOfMost, Retrying, StopRequest,
    Timestamp,
};
use crate::status::Health;

/// Version of the document that [`ManagerStatus`] is written as.
const SCHEMA: u32 = 1;
/// Where a job stands and whether its manager lives; written as the document of `status --json`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ManagerStatus {
    /// Version of this document.
    pub schema: u32,
    /// Whether the manager lives.
    pub status: Health,
    /// Its process number, while it lives and is the process on record.
    pub pid: Option<u32>,
    /// Lease of the latest manager, 0 before the first.
    pub epoch: Epoch,
    /// Which job it is.
    pub job: JobName,
    /// Where the job stands; `running` without a living manager means interrupted.
    pub job_status: JobStatus,
    /// When its first manager took it.
    pub started_at: Option<Timestamp>,
    /// When it reached its end.
    pub completed_at: Option<Timestamp>,
    /// Error of the manager itself, if it failed.
    pub error: Option<String>,
    /// The first panic in a callback of the service, if there was one; it stopped nothing.
    pub callback_error: Option<String>,
    /// The uid of the job in another database that it is a copy of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copied_from: Option<String>,
    /// Words of its creator about it.
    pub labels: BTreeMap<String, String>,
    /// Counters of its units.
    pub progress: StatusProgress,
    /// Its managers that live, one for each host, of a database on a server.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub managers: Vec<ManagerRun>,
    /// Time after which other hosts may take over from a manager that is not heard of, of a database on a server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_seconds: Option<f64>,
    /// Time without a sign of life after which an attempt is ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idle_timeout_seconds: Option<f64>,
    /// Memory that an attempt may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemorySizes>,
    /// The last manager of each other host that has run it, the latest first; not in a list of jobs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub former_managers: Vec<ManagerRun>,
    /// What its meters have counted, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub meters: Vec<MeterStatus>,
    /// What most of its attempts have taken of the machine, where commands have run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesOfMost>,
    /// Where its groups stand, if it has some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<GroupsStatus>,
    /// What its first units say about the rest, while it waits for somebody to decide about that; not in a list of jobs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub projection: Option<Projection>,
    /// Its units that failed and wait for another attempt; not in a list of jobs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retrying: Option<Retrying>,
    /// Units that may run at the same time.
    pub workers: usize,
    /// How many of them run at a time at present, where the job adapts that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adapted: Option<AdaptedWorkers>,
    /// Units that ended per second lately, while it runs.
    pub rate_per_second: Option<f64>,
    /// Time until its end, while it runs and a rate is known.
    pub eta_seconds: Option<EtaSeconds>,
    /// Whether somebody has asked to cancel the job, and it has not happened yet.
    pub cancel_requested: bool,
    /// What it waits for, if nothing moves.
    pub waiting_for: Option<String>,
    /// The manager's log.
    #[serde(with = "crate::model::raw_path")]
    pub log: PathBuf,
}

/// The names of a job.
#[derive(Debug, Clone, Serialize)]
pub struct JobName {
    /// Number inside its database.
    pub id: JobId,
    /// Id that is unique everywhere.
    pub uid: String,
    /// Name for people.
    pub name: String,
}

/// Counters with their percentage.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct StatusProgress {
    /// The counters.
    #[serde(flatten)]
    pub counts: Progress,
    /// Units that reached an end, per hundred of the total, to one decimal.
    pub percentage: f64,
}

impl ManagerStatus {
    /// Returns `true` if the job was left running by a manager that has died.
    pub fn is_interrupted(&self) -> bool {
        is_interrupted(self.job_status, self.status)
    }

    /// Names the state of the job for people; see [`Snapshot::word`].
    pub fn word(&self) -> &'static str {
        word(self.job_status, self.status)
    }
}

impl Client {
    /// Returns where a job stands and whether its manager lives: the document of a [`Client::snapshot`].
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// let status = client.get_manager_status(client.find_job("last")?)?;
    /// println!("{}: {} %", status.job_status, status.progress.percentage);
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn get_manager_status(&self, job: JobId) -> Result<ManagerStatus, ClientError> {
        Ok(self.snapshot(job)?.status())
    }
}

impl Snapshot {
    /// Returns the document of where the job stands: what it waits for and when it may end follow from the same cause that
    /// [`Snapshot::explanation`] names.
    pub fn status(&self) -> ManagerStatus {
        let Explanation { cause, waiting_for, .. } = self.explanation();
        let row = &self.job;
        ManagerStatus {
            schema: SCHEMA,
            status: self.health,
            pid: self.pid,
            epoch: row.epoch,
            job: JobName { id: row.id, uid: row.uid.clone(), name: row.name.clone() },
            job_status: row.status,
            started_at: row.started_at,
            completed_at: row.finished_at,
            callback_error: self.callback_error.clone(),
            copied_from: self.copied_from.clone(),
            error: self.error.clone(),
            labels: self.labels.clone(),
            progress: StatusProgress { counts: row.progress, percentage: row.progress.percentage() },
            managers: self.managers.clone(),
            lease_seconds: self.lease.map(|lease| lease.as_secs_f64()),
            idle_timeout_seconds: row.limits.idle_timeout.map(|idle| idle.as_secs_f64()),
            memory: row.limits.memory,
            former_managers: self.former_managers.clone(),
            meters: meters_of(row, &self.spending),
            resources: self.resources,
            groups: self.groups.clone(),
            projection: self.projection.clone(),
            retrying: self.retrying.clone(),
            workers: row.limits.workers,
            adapted: self.adapted,
            rate_per_second: self.rate,
            eta_seconds: eta::of(self, cause),
            cancel_requested: row.stop_request == Some(StopRequest::Cancel),
            waiting_for,
            log: self.log.clone(),
        }
    }
}
