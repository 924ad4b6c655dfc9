//! Reading jobs and units.

use std::collections::BTreeMap;

use super::{Client, ClientError};
use crate::handler::IS_THERE_ALREADY;
use crate::model::{
    AttemptRecord, FoundJobs, Job, JobFilter, JobId, Progress, Seq, UnitDetail, UnitFilter, UnitId, UnitNotes,
    UnitStatus,
};

impl Client {
    /// Returns a job.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// println!("{}", client.job(client.find_job("last")?)?.name);
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn job(&self, job: JobId) -> Result<Job, ClientError> {
        Ok(self.store().job(job)?)
    }

    /// Returns jobs, the newest first, and names those that cannot be read.
    ///
    /// ```no_run
    /// # use job_manager::model::JobFilter;
    /// # use job_manager::Client;
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// for job in client.jobs(&JobFilter::default())?.jobs {
    ///     println!("{} {} {}", job.id, job.name, job.status);
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn jobs(&self, filter: &JobFilter) -> Result<FoundJobs, ClientError> {
        Ok(self.store().jobs(filter)?)
    }

    /// Counts the jobs that a filter selects, those that cannot be read among them, whatever its limit is.
    ///
    /// ```no_run
    /// # use job_manager::model::JobFilter;
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// println!("{} jobs", client.count_jobs(&JobFilter::default())?);
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn count_jobs(&self, filter: &JobFilter) -> Result<i64, ClientError> {
        Ok(self.store().count_jobs(filter)?)
    }

    /// Returns the counters of a job, in a time that does not depend on the number of its units; also of one
    /// of which nothing else can be read.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// println!("{} %", client.progress(client.find_job("last")?)?.percentage());
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn progress(&self, job: JobId) -> Result<Progress, ClientError> {
        Ok(self.store().progress(job)?)
    }

    /// Counts the units that a filter selects.
    ///
    /// ```no_run
    /// # use job_manager::model::UnitFilter;
    /// # use job_manager::Client;
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// let outdated = UnitFilter { current: Some(false), ..UnitFilter::all() };
    /// println!("{} units are gone from the source", client.count_units(client.find_job("last")?, &outdated)?);
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn count_units(&self, job: JobId, filter: &UnitFilter) -> Result<i64, ClientError> {
        Ok(self.store().count_units(job, filter)?)
    }

    /// Counts the units that were skipped because the path that they make was there already; 0 without looking where units make none.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// println!("{} had nothing to do", client.count_made_before(client.find_job("last")?)?);
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn count_made_before(&self, job: JobId) -> Result<i64, ClientError> {
        let row = self.job(job)?;
        if row.progress.skipped == 0 || self.command_settings(&row)?.is_none_or(|spec| spec.creates.is_none()) {
            return Ok(0);
        }
        let skipped = UnitFilter::with_status(UnitStatus::Skipped);
        Ok(self.store().count_units_told(job, &skipped, IS_THERE_ALREADY)?)
    }

    /// Returns a page of units after `after`, in order of their numbers.
    ///
    /// ```no_run
    /// # use job_manager::model::{UnitFilter, UnitStatus};
    /// # use job_manager::Client;
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// let job = client.find_job("last")?;
    /// for unit in client.units(job, &UnitFilter::with_status(UnitStatus::Failed), None, 100)? {
    ///     println!("{}: {}", unit.seq, unit.error.unwrap_or_default());
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn units(
        &self,
        job: JobId,
        filter: &UnitFilter,
        after: Option<Seq>,
        limit: i64,
    ) -> Result<Vec<UnitDetail>, ClientError> {
        self.store().job(job)?;
        Ok(self.store().units(job, filter, after, limit)?)
    }

    /// Returns the labels that a job was created with.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// println!("{:?}", client.labels(client.find_job("last")?)?.get("team"));
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn labels(&self, job: JobId) -> Result<BTreeMap<String, String>, ClientError> {
        Ok(self.store().labels(job)?)
    }

    /// Returns how far the handler of a unit says it is, and what it keeps for its next attempt.
    ///
    /// ```no_run
    /// # use job_manager::model::Seq;
    /// # use job_manager::Client;
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// let notes = client.unit_notes(client.find_job("last")?, Seq(1))?;
    /// println!("{:?} of {:?}", notes.done, notes.total);
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn unit_notes(&self, job: JobId, seq: Seq) -> Result<UnitNotes, ClientError> {
        Ok(self.store().unit_notes(UnitId::new(job, seq))?)
    }

    /// Returns one unit.
    ///
    /// ```no_run
    /// # use job_manager::model::Seq;
    /// # use job_manager::Client;
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// let unit = client.unit(client.find_job("last")?, Seq(1))?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn unit(&self, job: JobId, seq: Seq) -> Result<UnitDetail, ClientError> {
        let in_range = (Seq::FIRST..=Seq::MAX).contains(&seq);
        let found = if in_range { self.units(job, &UnitFilter::one(seq), None, 1)?.pop() } else { None };
        found.ok_or(ClientError::UnitNotFound { job, seq })
    }

    /// Returns the attempts of a unit that did not complete, oldest first.
    ///
    /// ```no_run
    /// # use job_manager::model::Seq;
    /// # use job_manager::Client;
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// for attempt in client.attempts(client.find_job("last")?, Seq(1))? {
    ///     println!("{}: {}", attempt.attempt, attempt.error);
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn attempts(&self, job: JobId, seq: Seq) -> Result<Vec<AttemptRecord>, ClientError> {
        self.unit(job, seq)?;
        Ok(self.store().attempts(UnitId::new(job, seq))?)
    }
}
