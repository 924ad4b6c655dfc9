//! Deleting jobs.

use std::collections::HashSet;
use std::fs;

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

use super::{Client, ClientError};
use crate::files::remove_private_dir;
use crate::model::{Job, JobId, JobStatus, Limits, StateDir};
use crate::store::StoreError;
use crate::sys::{Cookie, JobLock, SharedLock, end_orphans};

/// Most threads that delete files: they wait for the disk and not for a processor.
const DELETERS: usize = 16;
/// Fewest jobs for each of them.
const JOBS_EACH: usize = 4;

impl Client {
    /// Deletes a job that no manager runs, with its units, its attempts, its log and its other files.
    ///
    /// The job is gone for every reader with the first transaction; after a crash in the middle the rest of its rows is
    /// deleted by the next creation of a job, and its directory stays. A job whose row cannot be read is deleted too; what
    /// lives of its processes is ended first.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// client.remove_job(client.find_job("last")?)?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn remove_job(&self, job: JobId) -> Result<(), ClientError> {
        let mut outcome = Ok(false);
        self.remove_jobs(&[job], |_| true, |_, of_job| outcome = of_job)?;
        outcome?;
        Ok(self.store().release_space()?)
    }

    /// Deletes those of a few jobs that no manager runs and that are `wanted` as they are now, in common transactions, and
    /// tells for each whether it was deleted.
    pub(super) fn remove_jobs(
        &self,
        jobs: &[JobId],
        wanted: impl Fn(Result<&Job, &StoreError>) -> bool,
        mut tell: impl FnMut(JobId, Result<bool, ClientError>),
    ) -> Result<(), ClientError> {
        self.provide_state_dir()?;
        let path = self.state.deletion_lock();
        // Whoever deletes the same jobs finds them gone, instead of a lock that looks like a manager's.
        let _alone = JobLock::acquire(&path).map_err(ClientError::files("lock", &path))?;
        let mut held = Vec::new();
        let rows = self.store().readable_jobs(jobs)?;
        for (&job, row) in jobs.iter().zip(rows) {
            match row.map_err(ClientError::from).and_then(|row| self.lock_to_delete(job, row)) {
                Ok(lock) => held.push((job, lock)),
                Err(error) => tell(job, Err(error)),
            }
        }
        let path = self.state.partial_lock();
        let _partial = SharedLock::acquire(&path).map_err(ClientError::files("lock", &path))?;
        let found: Vec<JobId> = held.iter().map(|(job, _)| *job).collect();
        // Clients that give a job units again need no lock of it: what is wanted is looked at where it is deleted.
        let deleted = self.store().delete_jobs(&found, wanted)?;
        let deleted: HashSet<JobId> = deleted.into_iter().collect();
        let clear = |(job, lock): (JobId, JobLock)| {
            let is_deleted = deleted.contains(&job);
            let outcome = if is_deleted { delete_files(&self.state, job) } else { Ok(()) };
            // The last one to close a file that is deleted frees its blocks, which takes as long as deleting it.
            drop(lock);
            (job, outcome.map(|()| is_deleted))
        };
        // File systems take longer for this than the database does for the rows.
        let outcomes = for_all(held, clear);
        outcomes.into_iter().for_each(|(job, outcome)| tell(job, outcome));
        Ok(())
    }

    /// Takes the lock of a job; `row` is how it was before, when no directory was made for its lock yet.
    fn lock_to_delete(&self, job: JobId, row: Option<Job>) -> Result<JobLock, ClientError> {
        let (lock, row) = match row.filter(|row| row.status.is_terminal()) {
            // Whether it still has ended is looked at where it is deleted.
            Some(row) => (self.lock_ended_job(job, "delete")?, Some(row)),
            None => {
                let lock = self.lock_idle_job(job, "delete")?;
                // Read under the lock: nothing begins to run it from here on.
                (lock, self.store().readable_job(job)?)
            }
        };
        match row {
            Some(row) if row.status == JobStatus::Running => Err(ClientError::Interrupted { job }),
            Some(row) if row.progress.running == 0 => Ok(lock),
            // One that failed with its manager, or cannot be read, may have left processes.
            Some(_) | None => self.end_processes_of(job).map(|()| lock),
        }
    }

    /// Ends what a dead manager left of a job that nobody is to go on with.
    fn end_processes_of(&self, job: JobId) -> Result<(), ClientError> {
        let slots = self.job_files(job).slots();
        let begin = format!("{}:", self.store().job_uid(job)?);
        let database = self.store().file().clone();
        let cookie = Cookie { begin: &begin, units: None, database: &database };
        let ended = end_orphans(Some(cookie), &slots, Limits::default().kill_after);
        let left = ended.map_err(ClientError::files("end the processes of", slots))?.left;
        if left.is_empty() { Ok(()) } else { Err(ClientError::OrphansRemain { job }) }
    }
}

/// Does `work` with each item, on several threads where these can be had.
fn for_all<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Send + Sync) -> Vec<R> {
    let threads = (items.len() / JOBS_EACH).min(DELETERS);
    match (threads > 1).then(|| ThreadPoolBuilder::new().num_threads(threads).build()) {
        Some(Ok(pool)) => pool.install(|| items.into_par_iter().map(work).collect()),
        Some(Err(_)) | None => items.into_iter().map(work).collect(),
    }
}

fn delete_files(state: &StateDir, job: JobId) -> Result<(), ClientError> {
    // Left behind by a manager that was killed while it waited; none in most cases.
    let _ = fs::remove_file(state.waits_for_permit(job));
    let files = state.job(job);
    remove_private_dir(files.path()).map_err(ClientError::files("delete", files.path()))
}
