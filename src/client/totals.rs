//! Sums over all jobs.

use super::{Client, ClientError};
use crate::model::JobTotals;

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

    /// Returns how many of the jobs that have not ended cannot be read; [`Client::jobs`] names them.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open_to_read("jobs.db".as_ref())?;
    /// assert_eq!(client.count_unreadable_jobs()?, 0);
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn count_unreadable_jobs(&self) -> Result<usize, ClientError> {
        Ok(self.store().count_unreadable_jobs()?)
    }
}
