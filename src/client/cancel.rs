//! Ending a job, or one of its units, permanently.

use std::time::{Duration, Instant};

use super::{Client, ClientError};
use crate::handler::clear_partial;
use crate::model::{Job, JobId, JobStatus, KillThen, Seq, StopRequest, Timestamp, UnitFilter, UnitStatus};
use crate::status::Health;
use crate::sys::{JobLock, create_private_dir, end_orphans};

/// Time in which a lock may seem taken because somebody looks whether it is.
const LOOK_TIME: Duration = Duration::from_millis(100);

impl Client {
    /// Cancels a job: its running units are ended, and every unit that has not ended is cancelled.
    ///
    /// A running manager does so within a fraction of a second of the wish, plus the time its units take to end;
    /// wait for it with [`Client::wait`]. Without a manager it has happened when this returns.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// client.cancel_job(client.find_job("last")?, "not needed any more")?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn cancel_job(&self, job: JobId, reason: &str) -> Result<(), ClientError> {
        loop {
            let (row, health) = self.without_leaving_manager(job)?;
            if row.status.is_terminal() {
                return Err(ClientError::WrongStatus { operation: "cancel", job, status: row.status });
            }
            match health.health {
                Health::Running => {
                    if self.ask_manager(job, StopRequest::Cancel, None, Some(reason), "cancel")? {
                        return Ok(());
                    }
                    // It has left the job in this moment, maybe paused: look again.
                }
                Health::Unknown => return Err(ClientError::HealthUnknown { job, reason: health.reason }),
                Health::NotStarted | Health::Stopped => return self.cancel_without_manager(&row, reason),
            }
        }
    }

    fn cancel_without_manager(&self, row: &Job, reason: &str) -> Result<(), ClientError> {
        let _lock = self.lock_idle_job(row.id, "cancel")?;
        if row.status == JobStatus::Running {
            self.end_processes(row)?;
        }
        Ok(self.store().cancel_idle_job(row.id, reason, Timestamp::now())?)
    }

    /// Ends the processes that a dead manager left behind; the caller holds the job's lock.
    pub(super) fn end_processes(&self, row: &Job) -> Result<(), ClientError> {
        let files = self.job_files(row.id);
        let (_, gone) = end_orphans(Some(&format!("{}:", row.uid)), &files.slots(), row.limits.kill_after)
            .map_err(ClientError::files("end the processes that use", files.slots()))?;
        if !gone {
            return Err(ClientError::OrphansRemain { job: row.id });
        }
        // What was done is told by nobody here: the units that it was done for are given up.
        clear_partial(&files, &self.path())
            .map_err(ClientError::files("look at what units made in", files.making()))?;
        Ok(())
    }

    /// Takes the lock of a job that no manager runs, so that none begins meanwhile.
    pub(super) fn lock_idle_job(&self, job: JobId, operation: &'static str) -> Result<JobLock, ClientError> {
        let files = self.job_files(job);
        let path = files.path();
        create_private_dir(path).map_err(ClientError::files("create", path))?;
        let asked = Instant::now();
        loop {
            let lock = JobLock::try_acquire(&files.lock()).map_err(ClientError::files("lock", files.lock()))?;
            match lock {
                Some(lock) => return Ok(lock),
                // Somebody may merely be looking at it.
                None if asked.elapsed() < LOOK_TIME => std::thread::sleep(LOOK_TIME / 20),
                None => return Err(ClientError::ManagerRuns { operation, job }),
            }
        }
    }

    /// Cancels one unit; one that runs is ended by its manager within a fraction of a second and what it takes to end.
    ///
    /// ```no_run
    /// # use job_manager::{Client, Seq};
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// client.cancel_unit(client.find_job("last")?, Seq(17), "not needed any more")?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn cancel_unit(&self, job: JobId, seq: Seq, reason: &str) -> Result<(), ClientError> {
        let changed = self.store().cancel_pending_units(job, &UnitFilter::one(seq), reason, Timestamp::now())?;
        if changed == 1 {
            return Ok(());
        }
        match self.unit(job, seq)?.status {
            UnitStatus::Running => self.kill_unit(job, seq, KillThen::Cancel, reason),
            _ => Err(ClientError::NoUnitFits { job }),
        }
    }
}
