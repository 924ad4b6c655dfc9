//! Whether somebody runs a job, asked so that the answer is not over in a moment.
//!
//! Known weakness: between a signal to a manager and its next look, at most 50 ms, nobody can tell that it will stop.

use std::time::{Duration, Instant};

use super::{Client, ClientError};
use crate::files::{How, create_private_dir, open_private};
use crate::model::{Job, JobId, JobStatus, StopRequest, Timestamp};
use crate::status::{Health, ManagerHealth, Reason, observe_manager};
use crate::store::{Extent, JobRows};
use crate::sys::JobLock;

/// How long a manager may take from its last word about the job to its end, and from its lock to its first word.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(5);
const SETTLE_POLL: Duration = Duration::from_millis(5);

impl Client {
    /// Returns the health of a job's manager, also of a job whose row cannot be read.
    pub(super) fn manager_health(&self, job: JobId) -> Result<ManagerHealth, ClientError> {
        let mut store = self.store();
        let record = store.manager_record(job)?;
        let holders = store.lease_holders(job)?;
        Ok(observe_manager(job, record.as_ref(), holders.as_deref(), store.file(), Timestamp::now()))
    }

    /// Returns a job and its manager's health. A manager that has left the job, paused or ended, and is about to let go of
    /// its lock is waited for: it would be taken for one that runs the job, and nobody would.
    pub(super) fn without_leaving_manager(&self, job: JobId) -> Result<(JobRows, ManagerHealth), ClientError> {
        let asked = Instant::now();
        loop {
            let (rows, health) = self.look(job, Extent::Manager)?;
            if health.health != Health::Running || !has_left(&rows.job) || asked.elapsed() > SETTLE_TIMEOUT {
                return Ok((rows, health));
            }
            std::thread::sleep(SETTLE_POLL);
        }
    }

    /// Says why it cannot be told whether somebody runs a job.
    pub(super) fn health_unknown(&self, job: JobId, reason: Option<Reason>) -> ClientError {
        let lock = open_private(&self.job_files(job).lock(), How::Read).err();
        let lock = lock.filter(|error| error.kind() == std::io::ErrorKind::PermissionDenied);
        ClientError::HealthUnknown { job, reason, lock: lock.map(|error| error.to_string()) }
    }

    /// Refuses a job whose manager lives and is about to leave it: whoever is told that it runs would wait for nothing.
    pub(super) fn refuse_while_it_ends(&self, job: JobId) -> Result<(), ClientError> {
        let (rows, _) = self.look(job, Extent::Manager)?;
        match rows.job.stop_request {
            Some(StopRequest::Cancel) => Err(ClientError::StillCancelling { job }),
            Some(StopRequest::Stop | StopRequest::StopNow) => Err(ClientError::StillStopping { job }),
            // It may have paused since.
            None if rows.is_stopping() || is_at_rest(rows.job.status) => Err(ClientError::StillStopping { job }),
            None => Ok(()),
        }
    }

    /// Takes the lock of a job that no manager runs, so that none begins meanwhile.
    ///
    /// Somebody may merely be looking at it, a manager that was killed or has left the job may hold it for a moment yet,
    /// and one that begins has not said so: all of them are waited for.
    pub(super) fn lock_idle_job(&self, job: JobId, operation: &'static str) -> Result<JobLock, ClientError> {
        let files = self.job_files(job);
        let path = files.path();
        create_private_dir(path).map_err(ClientError::files("create", path))?;
        let asked = Instant::now();
        loop {
            let health = self.manager_health(job)?;
            let row = self.store().readable_job(job)?;
            if row.as_ref().is_none_or(|row| row.status == JobStatus::Running)
                && health.health == Health::Unknown
                && health.may_run()
            {
                return Err(self.health_unknown(job, health.reason));
            }
            // One whose lock was deleted lives without it for a moment: it is not to be made in its place.
            let is_run = health.health == Health::Running && !row.as_ref().is_some_and(has_left);
            if !is_run
                && let Some(lock) =
                    JobLock::try_acquire(&files.lock()).map_err(ClientError::files("lock", files.lock()))?
            {
                return Ok(lock);
            }
            // What only seems so is over with the next looks.
            if asked.elapsed() > if is_run { SETTLE_TIMEOUT / 50 } else { SETTLE_TIMEOUT } {
                return Err(ClientError::ManagerRuns { operation, job });
            }
            std::thread::sleep(SETTLE_POLL);
        }
    }

    /// Takes the lock of a job that has ended: whoever holds it has left the job, or looks at it, and is about to let go.
    pub(super) fn lock_ended_job(&self, job: JobId, operation: &'static str) -> Result<JobLock, ClientError> {
        let files = self.job_files(job);
        create_private_dir(files.path()).map_err(ClientError::files("create", files.path()))?;
        let asked = Instant::now();
        loop {
            let lock = JobLock::try_acquire(&files.lock()).map_err(ClientError::files("lock", files.lock()))?;
            match lock {
                Some(lock) => return Ok(lock),
                None if asked.elapsed() > SETTLE_TIMEOUT => return Err(ClientError::ManagerRuns { operation, job }),
                None => std::thread::sleep(SETTLE_POLL),
            }
        }
    }
}

/// Returns `true` if a manager that lives has written its last word about a job.
pub(super) fn has_left(row: &Job) -> bool {
    row.status.is_terminal() || is_at_rest(row.status)
}

fn is_at_rest(status: JobStatus) -> bool {
    matches!(status, JobStatus::Paused | JobStatus::AwaitingApproval)
}
