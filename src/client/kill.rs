//! Ending one running unit.

use super::{Client, ClientError};
use crate::model::{JobId, KillThen, Seq, UnitStatus};
use crate::status::Health;

impl Client {
    /// Has the manager end one unit that runs: TERM to its process group, KILL after the job's `kill_after`.
    ///
    /// The manager sees the request within a fraction of a second; a unit that comes to an end of its own before keeps that
    /// end. What becomes of the unit otherwise is `then`. Only the attempt that runs now is meant: one after a retry is not,
    /// unless the unit is to be skipped or cancelled.
    ///
    /// ```no_run
    /// # use job_manager::model::{KillThen, Seq};
    /// # use job_manager::Client;
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// client.kill_unit(client.find_job("last")?, Seq(17), KillThen::Skip, "it hangs")?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// [`ClientError::UnitIdle`] when it does not run, [`ClientError::Interrupted`] when its manager is gone.
    pub fn kill_unit(&self, job: JobId, seq: Seq, then: KillThen, reason: &str) -> Result<(), ClientError> {
        // Before its manager is looked at: what does not run needs none.
        match self.unit(job, seq)?.status {
            UnitStatus::Running => {}
            status => return Err(ClientError::UnitIdle { job, seq, status }),
        }
        let health = self.manager_health(job)?;
        match health.health {
            Health::Running | Health::Unknown => {}
            Health::Stopped | Health::NotStarted => return Err(ClientError::Interrupted { job }),
        }
        match self.store().request_kill(job, seq, then, reason)? {
            UnitStatus::Running => Ok(()),
            status => Err(ClientError::UnitIdle { job, seq, status }),
        }
    }
}
