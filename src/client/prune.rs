//! Deleting jobs that are over.

use std::time::Duration;

use super::{Client, ClientError};
use crate::model::{FoundJobs, Job, JobFilter, JobId, JobStatus, Timestamp};
use crate::status::Health;
use crate::store::StoreError;

/// Jobs that are deleted by one transaction, and whose locks are held meanwhile.
const BATCH: usize = 100;

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
    /// # use job_manager::client::PruneOptions;
    /// # use job_manager::Client;
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// let month = Duration::from_secs(30 * 86_400);
    /// let old = client.prunable_jobs(PruneOptions { older_than: Some(month), keep: 10 })?;
    /// let jobs: Vec<_> = old.jobs.iter().map(|job| job.id).collect();
    /// client.prune_jobs(&jobs, |job, outcome| println!("{job}: {outcome:?}"))?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn prunable_jobs(&self, options: PruneOptions) -> Result<FoundJobs, ClientError> {
        let statuses = JobStatus::ALL.iter().copied().filter(|status| status.is_terminal()).collect();
        let FoundJobs { jobs, unreadable } = self.store().jobs(&JobFilter { statuses, ..JobFilter::default() })?;
        Ok(FoundJobs { jobs: prunable(jobs, options, Timestamp::now()), unreadable })
    }

    /// Deletes jobs like [`Client::remove_job`], unless they are not finished, and tells for each whether it was deleted; then
    /// gives their space back to the file system.
    ///
    /// A job that was given units again since it was chosen is kept. Nothing is told of one that somebody else has deleted
    /// meanwhile, and one that cannot be deleted keeps no other from being deleted.
    pub fn prune_jobs(
        &self,
        jobs: &[JobId],
        mut tell: impl FnMut(JobId, Result<bool, ClientError>),
    ) -> Result<(), ClientError> {
        for batch in jobs.chunks(BATCH) {
            self.remove_jobs(
                batch,
                |job| job.is_ok_and(is_finished),
                |job, outcome| {
                    if !matches!(outcome, Err(ClientError::Store(StoreError::JobNotFound(_)))) {
                        tell(job, outcome);
                    }
                },
            )?;
        }
        Ok(self.store().release_space()?)
    }

    /// Returns how many bytes of the database hold nothing and will be given back by [`Client::compact`] only; none but
    /// for databases that an older version has made.
    pub fn reclaimable_bytes(&self) -> Result<u64, ClientError> {
        Ok(self.store().reclaimable_bytes()?.unsigned_abs())
    }

    /// Returns `true` if rows of deleted jobs stay in the tables until the server has vacuumed these: from a file they are gone.
    pub fn leaves_dead_rows(&self) -> bool {
        self.store().has_no_file()
    }

    /// Rewrites the database without free space. Needs twice its size for that time, and keeps everybody from writing.
    ///
    /// # Errors
    /// When a manager runs: its units would not be recorded meanwhile.
    pub fn compact(&self) -> Result<(), ClientError> {
        self.refuse_to_compact_beside_managers()?;
        Ok(self.store().compact()?)
    }

    /// Refuses what keeps everybody from writing while a manager runs, or may run.
    pub fn refuse_to_compact_beside_managers(&self) -> Result<(), ClientError> {
        let statuses = vec![JobStatus::Running];
        let running = self.store().jobs(&JobFilter { statuses, ..JobFilter::default() })?;
        let unreadable = running.unreadable.into_iter().filter_map(|found| found.job());
        for job in running.jobs.into_iter().map(|job| job.id).chain(unreadable) {
            let health = self.manager_health(job)?;
            match health.health {
                Health::Running => {
                    return Err(ClientError::ManagerRuns { operation: "compact the database of", job });
                }
                Health::Unknown => {
                    return Err(self.health_unknown(job, health.reason));
                }
                _ => {}
            }
        }
        Ok(())
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
