//! Deleting jobs.

use std::fs;
use std::io::ErrorKind;

use super::{Client, ClientError};
use crate::model::{Job, JobId, JobStatus};
use crate::sys::SharedLock;

impl Client {
    /// Deletes a job that no manager runs, with its units, its attempts, its log and its other files.
    ///
    /// The job is gone for every reader with the first transaction; after a crash in the middle the rest of its rows is
    /// deleted by the next creation of a job, and its directory stays.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// client.remove_job(client.find_job("last")?)?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn remove_job(&self, job: JobId) -> Result<(), ClientError> {
        self.remove_job_if(job, |_| true).map(|_| ())
    }

    /// Deletes a job that no manager runs, if it is still as it should be; returns whether it was.
    pub(super) fn remove_job_if(&self, job: JobId, wanted: impl FnOnce(&Job) -> bool) -> Result<bool, ClientError> {
        self.without_leaving_manager(job)?;
        let _lock = self.lock_idle_job(job, "delete")?;
        // Read under the lock: nothing begins to run it from here on.
        let row = self.store().job(job)?;
        if row.status == JobStatus::Running {
            return Err(ClientError::Interrupted { job });
        }
        let path = self.state.partial_lock();
        let _partial = SharedLock::acquire(&path).map_err(ClientError::files("lock", &path))?;
        // Clients that give the job units again need no lock of it: what is wanted is looked at where it is deleted.
        if !self.store().delete_job(job, wanted)? {
            return Ok(false);
        }
        self.store().release_space()?;
        // Left behind by a manager that was killed while it waited; none in most cases.
        let _ = fs::remove_file(self.state.waits_for_place(job));
        let files = self.job_files(job);
        match fs::remove_dir_all(files.path()) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(ClientError::files("delete", files.path())(error)),
            _ => Ok(true),
        }
    }
}
