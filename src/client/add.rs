//! Adding units to a job that is there.

use super::create::{next_chunk, with_own_limits};
use super::made::made_path;
use super::{Client, ClientError};
use crate::model::{JobId, NewUnit};
use crate::store::SameKey;

impl Client {
    /// Adds units to a job and returns how many there were; a unit whose key the job has already is skipped, so that
    /// the same units may be added again. The job may be running.
    ///
    /// Units are durable in groups of a few thousand: a crash keeps the groups before it. A job that had ended becomes
    /// paused.
    ///
    /// ```no_run
    /// # use job_manager::{Client, NewUnit};
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// let job = client.find_job("last")?;
    /// client.add_units(job, [NewUnit { payload: "\"one more\"".to_owned(), key: None }])?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn add_units(&self, job: JobId, units: impl IntoIterator<Item = NewUnit>) -> Result<usize, ClientError> {
        self.try_add_units(job, units.into_iter().map(Ok::<_, std::convert::Infallible>))
    }

    /// Adds units from a source that may fail; see [`Client::add_units`]. Units before the failure may be there then.
    ///
    /// ```no_run
    /// # use job_manager::{Client, NewUnit};
    /// use std::io::BufRead;
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// let units = std::io::stdin().lock().lines().map(|line| {
    ///     line.map(|line| NewUnit { payload: format!("{line:?}"), key: None })
    /// });
    /// client.try_add_units(client.find_job("last")?, units)?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn try_add_units<E>(
        &self,
        job: JobId,
        units: impl IntoIterator<Item = Result<NewUnit, E>>,
    ) -> Result<usize, ClientError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let row = self.store().job(job)?;
        let made = made_path(&row.handler, &row.spec);
        let mut units = with_own_limits(units, row.limits, None);
        let mut added = 0;
        loop {
            let (chunk, last) = next_chunk(&mut units)?;
            if !chunk.is_empty() {
                added += self.append(job, &chunk, SameKey::LeaveOut, made.as_ref())?;
            }
            if last {
                return Ok(added);
            }
        }
    }
}
