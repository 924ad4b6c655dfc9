//! Leaving units out.

use std::time::Duration;

use super::{Client, ClientError, UnitsSwept};
use crate::model::{JobId, Timestamp, UnitFilter};

impl Client {
    /// Skips the pending and failed units that the filter selects, and cancelled ones if it names them, for a reason
    /// that readers are shown; returns how many there were.
    ///
    /// A running manager leaves them alone from then on, and ends the job if none is left; a unit that runs is not
    /// touched. A job that had ended gets the state that is left over: completed, when all that failed is skipped. A
    /// paused one ends with its next resume. [`Client::retry_units`] takes units back whose state the filter names.
    ///
    /// ```no_run
    /// # use job_manager::model::{UnitFilter, UnitStatus};
    /// # use job_manager::Client;
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// let job = client.find_job("last")?;
    /// client.skip_units(job, &UnitFilter::with_status(UnitStatus::Failed), "known to be broken")?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// [`ClientError::NoUnitFits`] when the filter selects none of them.
    pub fn skip_units(&self, job: JobId, filter: &UnitFilter, reason: &str) -> Result<i64, ClientError> {
        Ok(self.skip_units_within(job, filter, reason, None)?.changed)
    }

    /// Skips units as [`Client::skip_units`] does, and looks no longer for them than `budget`.
    ///
    /// Units that are looked for by their item, or by a kind of failure, change in groups; each group is one transaction.
    ///
    /// # Errors
    /// As for [`Client::skip_units`], when all units were looked at.
    pub fn skip_units_within(
        &self,
        job: JobId,
        filter: &UnitFilter,
        reason: &str,
        budget: Option<Duration>,
    ) -> Result<UnitsSwept, ClientError> {
        self.sweep_units(job, filter, budget, |filter| {
            Ok(self.store().skip_units(job, filter, reason, Timestamp::now())?)
        })
    }
}
