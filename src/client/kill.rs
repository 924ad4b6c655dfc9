//! Ending one running unit.

use super::{Client, ClientError};
use crate::model::{JobId, Kill, KillThen, Seq, UnitDetail, UnitStatus};
use crate::status::Health;

impl Client {
    /// Has the manager end one unit that runs: TERM to its process group, KILL after the job's `kill_after`.
    ///
    /// The manager sees the wish within a fraction of a second; a unit that comes to an end of its own before keeps that
    /// end. What becomes of the unit otherwise is `then`.
    ///
    /// ```no_run
    /// # use job_manager::{Client, KillThen, Seq};
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// client.kill_unit(client.find_job("last")?, Seq(17), KillThen::Skip, "it hangs")?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// [`ClientError::UnitIdle`] when it does not run, [`ClientError::Interrupted`] when its manager is gone.
    pub fn kill_unit(&self, job: JobId, seq: Seq, then: KillThen, reason: &str) -> Result<(), ClientError> {
        let UnitDetail { status, attempts, .. } = self.unit(job, seq)?;
        if status != UnitStatus::Running {
            return Err(ClientError::UnitIdle { job, seq, status });
        }
        let health = self.manager_health(job)?;
        match health.health {
            Health::Running | Health::Unknown => {}
            Health::Stopped | Health::NotStarted => return Err(ClientError::Interrupted { job }),
        }
        let epoch = self.store().job(job)?.epoch;
        let kill = Kill { seq, attempt: attempts, epoch, then, reason: reason.to_owned() };
        Ok(self.store().request_kill(job, &kill)?)
    }
}
