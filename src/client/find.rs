//! Finding a job by what people type.

use super::{Client, ClientError};
use crate::model::{JobId, Seq, UnitFilter};

/// Stands for the newest job.
const LAST: &str = "last";
/// Shorter prefixes of a uid are taken for names.
const MIN_UID_PREFIX: usize = 4;

impl Client {
    /// Finds the job of a key, as it was given to the job's creation.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// let job = client.find_job_of_key("nightly 2026-11-26")?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn find_job_of_key(&self, key: &str) -> Result<JobId, ClientError> {
        self.store().job_of_key(key)?.ok_or_else(|| ClientError::NoJobOfKey { key: key.to_owned() })
    }

    /// Finds the unit of a key in a job.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// let seq = client.find_unit_of_key(client.find_job("people")?, "ann@example.org")?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn find_unit_of_key(&self, job: JobId, key: &str) -> Result<Seq, ClientError> {
        let filter = UnitFilter { key: Some(key.to_owned()), ..UnitFilter::all() };
        let found = self.units(job, &filter, None, 1)?;
        found.first().map(|unit| unit.seq).ok_or_else(|| ClientError::NoUnitOfKey { job, key: key.to_owned() })
    }

    /// Finds a job by its number, its uid or a prefix of that, its name (the newest of that name), or `last`.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// let job = client.find_job("photos")?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn find_job(&self, selector: &str) -> Result<JobId, ClientError> {
        let missing = || ClientError::NoSuchJob { selector: selector.to_owned() };
        if selector == LAST {
            return self.store().newest_job()?.ok_or_else(missing);
        }
        if let Ok(number) = selector.parse()
            && let Some(job) = self.store().job_number(JobId(number))?
        {
            return Ok(job);
        }
        if let Some(job) = self.store().newest_job_named(selector)? {
            return Ok(job);
        }
        let looks_like_uid =
            selector.len() >= MIN_UID_PREFIX && selector.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        if !looks_like_uid {
            return Err(missing());
        }
        let found = self.store().jobs_by_uid_prefix(&selector.to_ascii_lowercase())?;
        match found.as_slice() {
            [] => Err(missing()),
            [job] => Ok(*job),
            [..] => Err(ClientError::AmbiguousJob { prefix: selector.to_owned() }),
        }
    }
}
