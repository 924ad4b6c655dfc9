//! Continuing jobs that were stopped or interrupted.

use super::{Client, ClientError, Started};
use crate::model::{JobFilter, JobId, JobStatus, Unreadable};
use crate::status::Health;

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
        let filter = JobFilter { statuses: vec![JobStatus::Running, JobStatus::Paused], ..JobFilter::default() };
        let jobs = self.store().jobs(&filter)?;
        // Why one cannot be read is said when that one is resumed.
        let mut resumable: Vec<JobId> = jobs.unreadable.iter().filter_map(Unreadable::job).rev().collect();
        for job in jobs.jobs.into_iter().rev() {
            // What cannot be told of one is said when that one is resumed.
            let is_over = self.manager_health(job.id).map_or(true, |health| health.health == Health::Stopped);
            if job.status == JobStatus::Paused || is_over {
                resumable.push(job.id);
            }
        }
        Ok(resumable)
    }
}
