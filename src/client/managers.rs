//! The managers that a job has had.

use super::hosts::living_and_lost;
use super::{Client, ClientError};
use crate::model::{JobId, ManagerRun, ManagerState};
use crate::status::Health;
use crate::store::Extent;

impl Client {
    /// Returns who has run a job, the latest last: when, on which host, and how it ended.
    ///
    /// A manager that died without a word is lost, whether or not anybody has taken the job since.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// for manager in client.managers(client.find_job("last")?)? {
    ///     println!("{} on {}: {}", manager.pid, manager.host, manager.state);
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn managers(&self, job: JobId) -> Result<Vec<ManagerRun>, ClientError> {
        let mut found = self.store().managers(job)?;
        let (rows, health) = self.look(job, Extent::Manager)?;
        if let Some(holders) = rows.holders {
            let lease = rows.job.limits.lease_length();
            let (living, _) = living_and_lost(holders, lease, health.here, self.store().file());
            for run in found.iter_mut().filter(|run| run.state == ManagerState::Live) {
                match living.iter().find(|living| living.number == run.number) {
                    Some(living) => *run = living.clone(),
                    None => (run.state, run.ended_at) = (ManagerState::Lost, Some(run.heartbeat_at)),
                }
            }
            return Ok(found);
        }
        let is_live = found.last().is_some_and(|latest| latest.state == ManagerState::Live);
        if !is_live || health.health != Health::Stopped {
            return Ok(found);
        }
        // Read again: it may have left in the proper way between the two looks.
        let mut managers = self.store().managers(job)?;
        if let Some(latest) = managers.last_mut().filter(|latest| latest.state == ManagerState::Live) {
            latest.state = ManagerState::Lost;
            latest.ended_at = Some(latest.heartbeat_at);
        }
        Ok(managers)
    }
}
