//! Ending units that run: one, or those that a filter selects.

use super::{Client, ClientError};
use crate::model::{JobId, KillThen, Seq, UnitFilter, UnitStatus};
use crate::status::Health;

/// Units that are read at a time.
const PAGE: i64 = 1_000;

/// A unit that was asked to end, and which attempt at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct AskedToEnd {
    /// The unit.
    pub seq: Seq,
    /// Number of its attempt.
    pub attempt: u32,
}

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
        self.refuse_without_manager(job)?;
        match self.store().request_kill(job, seq, then, reason)? {
            UnitStatus::Running => Ok(()),
            status => Err(ClientError::UnitIdle { job, seq, status }),
        }
    }

    /// Has managers end the running units that a filter selects, as [`Client::kill_unit`] does, and returns those that were
    /// asked to; a unit that came to an end of its own meanwhile is none of them.
    ///
    /// ```no_run
    /// # use job_manager::model::{KillThen, UnitFilter};
    /// # use job_manager::Client;
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// let large = UnitFilter { pattern: Some("large".parse()?), ..UnitFilter::all() };
    /// client.kill_units(client.find_job("last")?, &large, KillThen::Skip, "they hang")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ClientError::NoUnitFits`] when the filter selects none that runs, [`ClientError::Interrupted`] when their manager is
    /// gone; nothing is asked then.
    pub fn kill_units(
        &self,
        job: JobId,
        filter: &UnitFilter,
        then: KillThen,
        reason: &str,
    ) -> Result<Vec<AskedToEnd>, ClientError> {
        let asked = self.ask_running_units(job, filter, then, reason)?;
        if asked.is_empty() { Err(ClientError::NoUnitFits { job }) } else { Ok(asked) }
    }

    /// Does the same, and returns none when the filter selects none that runs.
    pub(super) fn ask_running_units(
        &self,
        job: JobId,
        filter: &UnitFilter,
        then: KillThen,
        reason: &str,
    ) -> Result<Vec<AskedToEnd>, ClientError> {
        if !filter.statuses.is_empty() && !filter.statuses.contains(&UnitStatus::Running) {
            return Ok(Vec::new());
        }
        let filter = UnitFilter { statuses: vec![UnitStatus::Running], ..filter.clone() };
        let (mut asked, mut after) = (Vec::new(), None);
        loop {
            let units = self.units(job, &filter, after, PAGE)?;
            let Some(last) = units.last() else { return Ok(asked) };
            if after.is_none() {
                self.refuse_without_manager(job)?;
            }
            after = Some(last.seq);
            for unit in units {
                if self.store().request_kill(job, unit.seq, then, reason)? == UnitStatus::Running {
                    asked.push(AskedToEnd { seq: unit.seq, attempt: unit.attempts });
                }
            }
        }
    }

    /// Refuses to ask a manager that is gone.
    fn refuse_without_manager(&self, job: JobId) -> Result<(), ClientError> {
        match self.manager_health(job)?.health {
            Health::Running | Health::Unknown => Ok(()),
            Health::Stopped | Health::NotStarted => Err(ClientError::Interrupted { job }),
        }
    }
}
