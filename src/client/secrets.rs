//! Secrets that a job of commands was submitted with: kept by name, their values are those of whoever starts it.

use std::env;
use std::ffi::OsString;

use super::{Client, ClientError};
use crate::model::{Job, JobId, RawText};

impl Client {
    /// Returns the secrets that a job was submitted with and that a manager would not get from this client: its units
    /// would run without them.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// for name in client.missing_secrets(client.find_job("last")?)? {
    ///     eprintln!("{name} is not set here");
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn missing_secrets(&self, job: JobId) -> Result<Vec<String>, ClientError> {
        Ok(self.missing(self.secrets_of(&self.job(job)?)?))
    }

    /// Refuses secrets that were given to this client and that the units of a job do not get.
    pub fn expect_secrets(&self, job: JobId) -> Result<(), ClientError> {
        if self.secrets.is_empty() {
            return Ok(());
        }
        let of_job = self.secrets_of(&self.job(job)?)?;
        let is_of_job = |name: &OsString| of_job.iter().any(|secret| secret.as_os_str() == name);
        let Some((name, _)) = self.secrets.iter().find(|(name, _)| !is_of_job(name)) else { return Ok(()) };
        let secrets = of_job.iter().map(RawText::to_string_lossy).collect::<Vec<_>>().join(", ");
        Err(ClientError::NoSuchSecret { job, name: name.to_string_lossy().into_owned(), secrets })
    }

    /// Refuses to start a job without the secrets that were asked for by name: its units would only use up their attempts.
    pub(super) fn refuse_without_secrets(&self, row: &Job) -> Result<(), ClientError> {
        let missing = self.command_settings(row)?.map_or_else(Vec::new, |spec| self.missing(spec.required_secrets));
        if missing.is_empty() {
            return Ok(());
        }
        Err(ClientError::SecretsMissing { job: row.id, names: missing.join(", "), status: row.status })
    }

    /// Returns what was given to this client of the secrets of a job.
    pub(super) fn given_secrets(&self, row: &Job) -> Result<Vec<(OsString, OsString)>, ClientError> {
        if self.secrets.is_empty() {
            return Ok(Vec::new());
        }
        let of_job = self.secrets_of(row)?;
        let given = self.secrets.iter().filter(|(name, _)| of_job.iter().any(|secret| secret.as_os_str() == name));
        Ok(given.cloned().collect())
    }

    fn missing(&self, names: Vec<RawText>) -> Vec<String> {
        let is_given = |name: &RawText| self.secrets.iter().any(|(given, _)| given == name.as_os_str());
        let missing = names.into_iter().filter(|name| !is_given(name) && env::var_os(name.as_os_str()).is_none());
        missing.map(|name| name.to_string_lossy().into_owned()).collect()
    }

    fn secrets_of(&self, row: &Job) -> Result<Vec<RawText>, ClientError> {
        Ok(self.command_settings(row)?.map_or_else(Vec::new, |spec| spec.secrets))
    }
}
