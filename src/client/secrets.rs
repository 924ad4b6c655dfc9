//! Secrets that a job of commands was submitted with: kept by name, their values are those of whoever starts it.

use std::env;

use super::settings::command_settings;
use super::{Client, ClientError};
use crate::model::{Job, JobId, RawText};

impl Client {
    /// Returns the secrets that a job was submitted with and that this process does not have: its units would run without
    /// them.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// for name in client.missing_secrets(client.find_job("last")?)? {
    ///     eprintln!("{name} is not set here");
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn missing_secrets(&self, job: JobId) -> Result<Vec<String>, ClientError> {
        Ok(command_settings(&self.job(job)?)?.map_or_else(Vec::new, |spec| missing(spec.secrets)))
    }
}

/// Refuses to start a job without the secrets that were asked for by name: its units would only use up their attempts.
pub(super) fn refuse_without(row: &Job) -> Result<(), ClientError> {
    let missing = command_settings(row)?.map_or_else(Vec::new, |spec| missing(spec.required_secrets));
    if missing.is_empty() {
        return Ok(());
    }
    Err(ClientError::SecretsMissing { job: row.id, names: missing.join(", ") })
}

fn missing(names: Vec<RawText>) -> Vec<String> {
    let missing = names.into_iter().filter(|name| env::var_os(name.as_os_str()).is_none());
    missing.map(|name| name.to_string_lossy().into_owned()).collect()
}
