//! Continuing jobs that were stopped or interrupted.

use super::{Client, ClientError, Started};
use crate::model::{JobId, JobStatus};

impl Client {
    /// Continues a job that was paused or interrupted; the same as starting it.
    ///
    /// Units that were running when a manager died are given back first, and their processes ended. Nothing that is
    /// recorded as completed runs again.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// client.resume_job(client.find_job("last")?)?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn resume_job(&self, job: JobId) -> Result<Started, ClientError> {
        self.start_detached(job)
    }

    /// Returns the jobs that can be resumed: the paused and the interrupted ones, oldest first.
    pub fn resumable_jobs(&self) -> Result<Vec<JobId>, ClientError> {
        self.jobs_to_continue(|seen| seen.job.status == JobStatus::Paused || seen.may_be_over())
    }
}
