//! Ending a job, or one of its units, permanently.

use std::time::{Duration, Instant};

use super::{Client, ClientError};
use crate::handler::clear_partial;
use crate::model::{Job, JobId, JobStatus, KillThen, Seq, StopRequest, Timestamp, UnitFilter, UnitStatus};
use crate::status::Health;
use crate::sys::{Cookie, end_orphans};

/// Time in which a manager that has taken a job's lock writes that it runs the job.
const START_TIME: Duration = Duration::from_secs(10);

impl Client {
    /// Cancels a job: its running units are ended, and every unit that has not ended is cancelled.
    ///
    /// A running manager does so within a fraction of a second of the wish, plus the time its units take to end;
    /// wait for it with [`Client::wait`]. Without a manager it has happened when this returns. Where it cannot be told
    /// whether one lives, the wish is left for it.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// client.cancel_job(client.find_job("last")?, "not needed any more")?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn cancel_job(&self, job: JobId, reason: &str) -> Result<(), ClientError> {
        let asked = Instant::now();
        loop {
            let (row, health) = self.without_leaving_manager(job)?;
            if row.status.is_terminal() {
                return Err(ClientError::WrongStatus { operation: "cancel", job, status: row.status });
            }
            let may_be_run = matches!(health.health, Health::Running | Health::Unknown);
            let cancelled = if row.status == JobStatus::Running && may_be_run {
                self.ask_manager(job, StopRequest::Cancel, None, Some(reason), "cancel")
            } else {
                self.cancel_without_manager(job, reason).map(|()| true)
            };
            match cancelled {
                Ok(true) => return Ok(()),
                // A manager has just begun, left the job or died.
                Ok(false)
                | Err(
                    ClientError::ManagerRuns { .. } | ClientError::WrongStatus { .. } | ClientError::Interrupted { .. },
                ) if asked.elapsed() < START_TIME => {}
                Ok(false) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn cancel_without_manager(&self, job: JobId, reason: &str) -> Result<(), ClientError> {
        let _lock = self.lock_idle_job(job, "cancel")?;
        // Read under the lock: nothing begins to run it from here on.
        let row = self.store().job(job)?;
        if row.status == JobStatus::Running {
            self.end_processes(&row)?;
        }
        Ok(self.store().cancel_idle_job(job, reason, Timestamp::now())?)
    }

    /// Ends the processes that a dead manager left behind; the caller holds the job's lock.
    pub(super) fn end_processes(&self, row: &Job) -> Result<(), ClientError> {
        let files = self.job_files(row.id);
        let database = {
            let mut store = self.store();
            store.supersede_manager(row.id)?;
            store.file().clone()
        };
        let cookie = Cookie { begin: &format!("{}:", row.uid), database: &database };
        let (_, gone) = end_orphans(Some(cookie), &files.slots(), row.limits.kill_after)
            .map_err(ClientError::files("end the processes that use", files.slots()))?;
        if !gone {
            return Err(ClientError::OrphansRemain { job: row.id });
        }
        // What was done is told by nobody here: the units that it was done for are given up.
        clear_partial(&files, &database).map_err(ClientError::files("look at what units made in", files.making()))?;
        Ok(())
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
