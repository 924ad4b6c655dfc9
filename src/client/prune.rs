//! Deleting jobs that are over.

use std::time::Duration;

use super::{Client, ClientError};
use crate::model::{Job, JobFilter, JobId, JobStatus, Timestamp};

/// Which finished jobs may go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PruneOptions {
    /// Only those that ended at least so long ago.
    pub older_than: Option<Duration>,
    /// Not the newest so many of all that are finished.
    pub keep: usize,
}

impl Client {
    /// Returns the finished jobs that may go, oldest first; changes nothing.
    ///
    /// A job is finished when it completed, failed or was cancelled and none of its units is left to run.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use job_manager::{Client, PruneOptions};
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// let month = Duration::from_secs(30 * 86_400);
    /// for job in client.prunable_jobs(PruneOptions { older_than: Some(month), keep: 10 })? {
    ///     client.prune_job(job.id)?;
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn prunable_jobs(&self, options: PruneOptions) -> Result<Vec<Job>, ClientError> {
        let statuses = JobStatus::ALL.iter().copied().filter(|status| status.is_terminal()).collect();
        let jobs = self.store().jobs(&JobFilter { statuses, ..JobFilter::default() })?;
        Ok(prunable(jobs, options, Timestamp::now()))
    }

    /// Deletes a job like [`Client::remove_job`], unless it is not finished; returns whether it was deleted.
    ///
    /// A job that was given units again since it was chosen is kept.
    pub fn prune_job(&self, job: JobId) -> Result<bool, ClientError> {
        self.remove_job_if(job, is_finished)
    }
}

fn is_finished(job: &Job) -> bool {
    job.status.is_terminal() && job.progress.unfinished() == 0
}

/// Chooses among jobs that are given newest first, and returns them oldest first.
fn prunable(jobs: Vec<Job>, options: PruneOptions, now: Timestamp) -> Vec<Job> {
    let is_old = |job: &Job| {
        let age = job.finished_at.map_or(Duration::ZERO, |finished| now.since(finished));
        options.older_than.is_none_or(|bound| age >= bound)
    };
    let mut chosen: Vec<Job> = jobs.into_iter().filter(is_finished).skip(options.keep).filter(is_old).collect();
    chosen.reverse();
    chosen
}
