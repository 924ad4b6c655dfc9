//! Asking for units again.

use super::{Client, ClientError};
use crate::model::{JobId, Timestamp, UnitFilter};

impl Client {
    /// Sends failed and cancelled units that the filter selects, and skipped ones if it names them, back to pending, with all their attempts, and
    /// returns how many there were.
    ///
    /// A running manager takes them up by itself; a job that had ended becomes paused and waits for a resume.
    ///
    /// ```no_run
    /// # use job_manager::{Client, UnitFilter, UnitStatus};
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// let job = client.find_job("last")?;
    /// client.retry_units(job, &UnitFilter::with_status(UnitStatus::Failed))?;
    /// client.resume_job(job)?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// [`ClientError::NoUnitFits`] when the filter selects none of them.
    pub fn retry_units(&self, job: JobId, filter: &UnitFilter) -> Result<i64, ClientError> {
        match self.store().retry_units(job, filter, Timestamp::now())? {
            0 => Err(ClientError::NoUnitFits { job }),
            moved => Ok(moved),
        }
    }
}
