//! The status of a job and its manager, in one value.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::conditions::waits_for_time;
use super::settings::command_settings;
use super::{Client, ClientError};
use crate::model::{Epoch, Job, JobId, JobStatus, Progress, Seq, StopRequest, Timestamp, Waits, counted};
use crate::status::Health;
use crate::store::StoreError;
use crate::sys::{Writer, disk_of};

/// Version of the document that [`ManagerStatus`] is written as.
const SCHEMA: u32 = 1;
/// Age of a heartbeat that is worth a look at the disk; a manager that can write does so every second.
pub(super) const SILENCE: Duration = Duration::from_secs(3);
/// Free bytes below which a disk counts as full.
const FULL_BYTES: u64 = 256 * 1024;
const NO_SPACE: &str = "space: the disk of the database is full, the manager goes on when there is some";

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
    /// Words of its creator about it.
    pub labels: BTreeMap<String, String>,
    /// Counters of its units.
    pub progress: StatusProgress,
    /// Units that may run at the same time.
    pub workers: usize,
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

/// An interval in which the end is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct EtaSeconds {
    /// Seconds, if all goes a little better than lately.
    pub low: u64,
    /// Seconds, if all goes a little worse.
    pub high: u64,
}

impl ManagerStatus {
    /// Returns `true` if the job was left running by a manager that has died.
    pub fn is_interrupted(&self) -> bool {
        self.job_status == JobStatus::Running && self.status == Health::Stopped
    }

    /// Names the state of the job for people, for whom interrupted is a state of its own; unknown says that nobody can
    /// tell whether the manager lives.
    pub fn word(&self) -> &'static str {
        match (self.job_status, self.status) {
            (JobStatus::Running, Health::Stopped) => "interrupted",
            (JobStatus::Running, Health::Unknown) => "unknown",
            (status, _) => status.as_str(),
        }
    }
}

impl Client {
    /// Returns where a job stands and whether its manager lives, in a time that does not depend on its units.
    ///
    /// Reads the job's row and looks at its lock; signals nobody and writes nothing.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// let status = client.get_manager_status(client.find_job("last")?)?;
    /// println!("{}: {} %", status.job_status, status.progress.percentage);
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn get_manager_status(&self, job: JobId) -> Result<ManagerStatus, ClientError> {
        let mut row = self.store().job(job)?;
        let (mut record, health) = self.manager_seen(job)?;
        // The manager may have ended in the proper way between the two looks.
        if row.status == JobStatus::Running && health.health == Health::Stopped {
            row = self.store().job(job)?;
            record = self.store().manager_record(job)?;
        }
        let runs = health.health == Health::Running && row.status == JobStatus::Running;
        if !runs && !row.status.is_terminal() {
            // What no manager could run is not to look as if it only had to be resumed.
            command_settings(&row)?;
        }
        let rate = record.as_ref().and_then(|record| record.rate_per_second).filter(|_| runs);
        let now = Timestamp::now();
        let silent = record.as_ref().and_then(|record| record.heartbeat_at).map(|at| now.since(at));
        let halted = matches!(row.status, JobStatus::Paused | JobStatus::AwaitingApproval);
        let halt_reason = record.as_ref().and_then(|record| record.halt_reason.clone()).filter(|_| halted);
        let noted = record.as_ref().and_then(|record| record.waits.clone());
        let waits = waits_for_time(&row, now).or(noted).filter(|_| runs && row.progress.pending > 0);
        let waiting_for = match runs {
            true if silent.is_some_and(|age| age > SILENCE) && self.disk_is_full() => Some(NO_SPACE.to_owned()),
            true => match silent.filter(|age| *age > SILENCE).and_then(|_| self.writer_beside(health.pid)) {
                Some(writer) => Some(format!("{writer} to let go of the write lock of the database")),
                None => self.waiting_for(&row, waits.as_ref())?,
            },
            false => halt_reason,
        };
        let is_held = waits.as_ref().is_some_and(|waits| !matches!(waits, Waits::Lack { .. }))
            || row.hold.as_ref().is_some_and(|hold| hold.until > now);
        Ok(ManagerStatus {
            status: health.health,
            pid: health.pid,
            callback_error: record.as_ref().and_then(|record| record.callback_error.clone()),
            error: record.and_then(|record| record.error),
            rate_per_second: rate,
            // The pace of before says nothing about when units start again.
            eta_seconds: rate.filter(|_| !is_held).and_then(|rate| eta(&row.progress, rate)),
            waiting_for: waiting_for.or_else(|| health.reason.map(|reason| reason.to_string())),
            ..self.status_of_row(&row)?
        })
    }

    /// Returns the status of one job of a list: a record of its manager that cannot be read makes that job unknown, with
    /// the reason as its error, and keeps no other job from being shown.
    ///
    /// ```no_run
    /// # use job_manager::model::JobFilter;
    /// # use job_manager::Client;
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// for job in client.jobs(&JobFilter::default())?.jobs {
    ///     println!("{} {}", job.id, client.get_listed_status(job.id)?.word());
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn get_listed_status(&self, job: JobId) -> Result<ManagerStatus, ClientError> {
        match self.get_manager_status(job) {
            Err(ClientError::Store(damaged @ (StoreError::DamagedRecord { .. } | StoreError::Unreadable(_)))) => {
                let row = self.store().job(job)?;
                Ok(ManagerStatus { error: Some(damaged.to_string()), ..self.status_of_row(&row)? })
            }
            other => other,
        }
    }

    /// Returns what the row of a job says of it, its manager unknown.
    fn status_of_row(&self, row: &Job) -> Result<ManagerStatus, ClientError> {
        Ok(ManagerStatus {
            schema: SCHEMA,
            status: Health::Unknown,
            pid: None,
            epoch: row.epoch,
            job: JobName { id: row.id, uid: row.uid.clone(), name: row.name.clone() },
            job_status: row.status,
            started_at: row.started_at,
            completed_at: row.finished_at,
            callback_error: None,
            error: None,
            labels: self.store().labels(row.id)?,
            progress: StatusProgress { counts: row.progress, percentage: row.progress.percentage() },
            workers: row.limits.workers,
            rate_per_second: None,
            eta_seconds: None,
            cancel_requested: row.stop_request == Some(StopRequest::Cancel),
            waiting_for: None,
            log: self.job_files(row.id).log(),
        })
    }

    /// Returns `true` if the disk of the database has no space left; one that cannot be looked at is not called full.
    pub(super) fn disk_is_full(&self) -> bool {
        let path = self.path();
        path.parent().is_some_and(|dir| disk_of(dir).is_ok_and(|disk| disk.free_bytes < FULL_BYTES))
    }

    /// Returns who holds the write lock of the database at this moment, if it is not the manager with that number.
    pub(super) fn writer_beside(&self, manager: Option<u32>) -> Option<Writer> {
        Writer::of(&self.path()).filter(|writer| Some(writer.pid) != manager)
    }

    fn waiting_for(&self, row: &Job, waits: Option<&Waits>) -> Result<Option<String>, ClientError> {
        if let Some(request) = row.stop_request {
            return Ok(Some(format!("{} running units to end ({request})", row.progress.running)));
        }
        if let Some(hold) = row.hold.as_ref().filter(|hold| hold.until > Timestamp::now()) {
            return Ok(Some(format!("{}, no unit starts before {}", hold.reason, hold.until)));
        }
        if let Some(other) = row.limits.after.filter(|_| row.progress.total == row.progress.pending) {
            return Ok(Some(format!("job {other} to complete")));
        }
        if let Some(waits) = waits {
            return Ok(Some(waits.to_string()));
        }
        if row.progress.running > 0 || row.progress.pending == 0 {
            return Ok(None);
        }
        if let Some(machine) = self.machine_workers()?.filter(|machine| machine.are_taken()) {
            return Ok(Some(format!("a unit of another job to end: the limit over all jobs is {}", machine.limit)));
        }
        let due = self.store().next_due(row.id, Seq::MAX)?;
        Ok(due.map(|due| format!("the next attempt of {}, the first at {due}", counted(row.progress.pending, "unit"))))
    }
}

/// Returns the time left at `rate`, wider the fewer units have ended.
fn eta(progress: &Progress, rate: f64) -> Option<EtaSeconds> {
    if rate <= 0.0 || progress.unfinished() == 0 {
        return None;
    }
    let spread = (1.0 / (progress.ended().max(1) as f64).sqrt()).clamp(0.05, 0.5);
    let left = progress.unfinished() as f64 / rate;
    Some(EtaSeconds { low: (left * (1.0 - spread)).floor() as u64, high: (left * (1.0 + spread)).ceil() as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eta_is_an_interval_around_what_is_left_at_the_present_rate() {
        let progress = Progress { total: 1000, pending: 500, completed: 500, ..Progress::default() };

        let eta = eta(&progress, 10.0).unwrap();

        assert_eq!(eta, EtaSeconds { low: 47, high: 53 });
    }

    #[test]
    fn without_a_rate_there_is_no_eta() {
        let progress = Progress { total: 10, pending: 10, ..Progress::default() };

        assert_eq!(eta(&progress, 0.0), None);
    }
}
