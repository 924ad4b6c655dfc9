//! Adding units to a job that is there.

use super::create::{next_chunk, with_own_limits};
use super::{Client, ClientError};
use crate::model::{JobId, NewUnit, SeenKeys, UnitsAdded};
use crate::store::SameKey;

impl Client {
    /// Adds units to a job, and returns how many there were and how many were there already: a unit whose key the job
    /// has is not added a second time, so that the same units may be given again. The job may be running.
    ///
    /// Units are durable in groups of a few thousand: a crash keeps the groups before it. A job that had ended becomes
    /// paused.
    ///
    /// ```no_run
    /// # use job_manager::{Client, NewUnit};
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// let job = client.find_job("last")?;
    /// let added = client.add_units(job, [NewUnit::new("one more").expect("a text has a form in JSON")])?;
    /// println!("{} added, {} already there", added.added, added.already_there);
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// [`ClientError::KeyTwice`] when two of the units have the same key; groups before the second one may be there then.
    pub fn add_units(&self, job: JobId, units: impl IntoIterator<Item = NewUnit>) -> Result<UnitsAdded, ClientError> {
        self.try_add_units(job, units.into_iter().map(Ok::<_, std::convert::Infallible>))
    }

    /// Adds units from a source that may fail; see [`Client::add_units`]. Units before the failure may be there then.
    ///
    /// ```no_run
    /// # use job_manager::{Client, NewUnit};
    /// use std::io::BufRead;
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// let units = std::io::stdin().lock().lines().map(|line| {
    ///     line.map(|line| NewUnit::new(&line).expect("a text has a form in JSON"))
    /// });
    /// client.try_add_units(client.find_job("last")?, units)?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn try_add_units<E>(
        &self,
        job: JobId,
        units: impl IntoIterator<Item = Result<NewUnit, E>>,
    ) -> Result<UnitsAdded, ClientError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let row = self.store().job(job)?;
        let made = self.made_path(&row)?;
        let mut units = with_own_limits(units, row.limits, None);
        let (mut added, mut keys) = (UnitsAdded::default(), SeenKeys::default());
        loop {
            let (chunk, last) = next_chunk(&mut units)?;
            if let Some(key) = keys.find_twice(&chunk) {
                return Err(ClientError::KeyTwice { key: Some(key.to_owned()) });
            }
            if !chunk.is_empty() {
                added.count(self.append(job, &chunk, SameKey::LeaveOut, made.as_ref())?, chunk.len());
            }
            if last {
                return Ok(added);
            }
        }
    }
}
