//! What a start of a job is refused for, because nothing could come of it.

use super::{Client, ClientError, StartError};
use crate::model::{Job, JobId, JobStatus, Timestamp};
use crate::store::StoreError;

impl Client {
    /// Refuses what a start of a job would be refused for, whatever its state: for whoever changes units first and starts the job then.
    ///
    /// ```no_run
    /// # use job_manager::model::{UnitFilter, UnitStatus};
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// let job = client.find_job("last")?;
    /// client.check_start(job)?;
    /// client.retry_units(job, &UnitFilter::with_status(UnitStatus::Failed))?;
    /// client.start_detached(job)?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// When the database is another user's, or a secret is missing that the units get by name.
    pub fn check_start(&self, job: JobId) -> Result<(), ClientError> {
        self.refuse_other_owner()?;
        // In two steps: the store is locked by whoever uses it.
        let row = self.store().job(job)?;
        self.refuse_without_secrets(&row)
    }

    /// Refuses to start a job that would pause at once: its deadline has passed, or the job that it waits for has ended without having
    /// completed.
    pub(super) fn refuse_pause_at_once(&self, row: &Job) -> Result<(), ClientError> {
        if row.status != JobStatus::Paused {
            // Of one that has died the next manager has to look at what that left; one that was never started pauses and says why.
            return Ok(());
        }
        if let Some(deadline) = row.deadline_at().filter(|deadline| *deadline <= Timestamp::now()) {
            return Err(StartError::PastDeadline { job: row.id, deadline }.into());
        }
        let Some(other) = row.limits.after.filter(|_| row.progress.pending == row.progress.total) else {
            return Ok(());
        };
        let what = match self.store().job(other) {
            Ok(other) if other.status.is_terminal() && other.status != JobStatus::Completed => {
                format!("is {}", other.status)
            }
            Ok(_) => return Ok(()),
            Err(StoreError::JobNotFound(_)) => "does not exist any more".to_owned(),
            Err(error) => return Err(error.into()),
        };
        Err(StartError::Hopeless { job: row.id, other, what }.into())
    }
}
