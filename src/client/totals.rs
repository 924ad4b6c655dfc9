//! Sums over all jobs.

use super::{Client, ClientError};
use crate::model::{JobTotals, Timestamp, Totals, UnendedJobs};

impl Client {
    /// Returns for each state that jobs are in how many there are, and the sum of their counters.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open_to_read("jobs.db".as_ref())?;
    /// for state in client.job_totals()? {
    ///     println!("{} jobs are {}, with {} units", state.jobs, state.status, state.units.total);
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn job_totals(&self) -> Result<Vec<JobTotals>, ClientError> {
        Ok(self.store().job_totals()?)
    }

    /// Returns what has happened in this database since it was made, whatever became of its jobs, and beside it the same as
    /// [`Client::job_totals`], of the same moment.
    ///
    /// None of the first numbers ever becomes less, whether jobs are deleted or their units tried again. Of a database of an older
    /// version that is only read they are what its jobs tell.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open_to_read("jobs.db".as_ref())?;
    /// let (totals, jobs) = client.totals()?;
    /// println!("{} attempts were followed by another one; kinds of states: {}", totals.retries, jobs.len());
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn totals(&self) -> Result<(Totals, Vec<JobTotals>), ClientError> {
        Ok(self.store().totals()?)
    }

    /// Returns up to `most` names of jobs that have completed, each with when the last job of that name did, the latest first.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open_to_read("jobs.db".as_ref())?;
    /// for (name, at) in client.last_successes(10)? {
    ///     println!("{name} last completed at {at}");
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn last_successes(&self, most: i64) -> Result<Vec<(String, Timestamp)>, ClientError> {
        Ok(self.store().last_successes(most)?)
    }

    /// Returns the jobs that have not ended, the newest first, with their states, and counts those that cannot be read, which
    /// [`Client::jobs`] names.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open_to_read("jobs.db".as_ref())?;
    /// println!("{} jobs have not ended", client.unended_jobs()?.jobs.len());
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn unended_jobs(&self) -> Result<UnendedJobs, ClientError> {
        Ok(self.store().unended_jobs()?)
    }
}
