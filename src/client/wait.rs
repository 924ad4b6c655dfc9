//! Waiting for the end of a job.

use std::time::{Duration, Instant};

use super::{Client, ClientError};
use crate::model::{Job, JobId, JobStatus};
use crate::status::Health;

/// Times between two looks: short at first, so that small jobs are not kept waiting.
const FIRST_LOOK: Duration = Duration::from_millis(5);
const LAST_LOOK: Duration = Duration::from_millis(100);

/// How a job ended, or why it does not go on by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobOutcome {
    /// Every unit completed or was skipped.
    Completed,
    /// Some failed permanently, or the manager did.
    Failed,
    /// Ended on request.
    Cancelled,
    /// Stopped before its end.
    Paused,
    /// Waits for a person.
    AwaitingApproval,
    /// Its manager died; `resume` continues it.
    ManagerLost,
}

impl Client {
    /// Blocks until a job has ended, is paused, or has lost its manager.
    ///
    /// A job that was never started is waited for until somebody starts it.
    ///
    /// ```no_run
    /// # use job_manager::{Client, JobOutcome};
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// let outcome = client.wait(client.find_job("last")?, Some(std::time::Duration::from_secs(60)))?;
    /// assert_eq!(outcome, JobOutcome::Completed);
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// [`ClientError::WaitTimedOut`] after `timeout`; the job is not touched.
    pub fn wait(&self, job: JobId, timeout: Option<Duration>) -> Result<JobOutcome, ClientError> {
        let ended = self.wait_while(job, timeout, |_| true)?;
        Ok(ended.expect("only a look that says so gives up"))
    }

    /// Like [`Client::wait`], and shows the job to `look` at every look; returns none as soon as that says false.
    pub fn wait_while(
        &self,
        job: JobId,
        timeout: Option<Duration>,
        mut look: impl FnMut(&Job) -> bool,
    ) -> Result<Option<JobOutcome>, ClientError> {
        let started = Instant::now();
        let mut pause = FIRST_LOOK;
        loop {
            let row = self.store().job(job)?;
            if let Some(outcome) = self.outcome_of(&row)? {
                look(&row);
                return Ok(Some(outcome));
            }
            if !look(&row) {
                return Ok(None);
            }
            let waited = started.elapsed();
            if let Some(timeout) = timeout
                && waited >= timeout
            {
                return Err(ClientError::WaitTimedOut { job, waited });
            }
            let left = timeout.map_or(pause, |timeout| timeout.saturating_sub(waited));
            std::thread::sleep(pause.min(left));
            pause = (pause * 2).min(LAST_LOOK);
        }
    }

    /// Returns how a job ended; none when it goes on, or may be started yet.
    pub fn outcome(&self, job: JobId) -> Result<Option<JobOutcome>, ClientError> {
        let row = self.store().job(job)?;
        self.outcome_of(&row)
    }

    fn outcome_of(&self, row: &Job) -> Result<Option<JobOutcome>, ClientError> {
        if let Some(outcome) = recorded_outcome(row.status) {
            return Ok(Some(outcome));
        }
        if row.status != JobStatus::Running || self.manager_health(row.id)?.health != Health::Stopped {
            return Ok(None);
        }
        // It may have ended in the proper way between the two looks.
        let again = self.store().job(row.id)?;
        let same_reign = again.epoch == row.epoch;
        Ok(recorded_outcome(again.status).or(same_reign.then_some(JobOutcome::ManagerLost)))
    }
}

fn recorded_outcome(status: JobStatus) -> Option<JobOutcome> {
    match status {
        JobStatus::Completed => Some(JobOutcome::Completed),
        JobStatus::Failed => Some(JobOutcome::Failed),
        JobStatus::Cancelled => Some(JobOutcome::Cancelled),
        JobStatus::Paused => Some(JobOutcome::Paused),
        JobStatus::AwaitingApproval => Some(JobOutcome::AwaitingApproval),
        JobStatus::Partial | JobStatus::Created | JobStatus::Running => None,
    }
}
