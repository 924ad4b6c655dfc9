//! Secrets for the units of a job, given to whoever starts it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use clap::Args;
use job_manager::client::Client;
use job_manager::model::JobId;
use job_manager::submission::SubmissionError;

use super::error::CliError;

/// Option of the verbs that start a job.
#[derive(Debug, Args)]
pub(super) struct SecretArgs {
    /// Secret for the units, which the job was submitted with; without a value it is taken from here. May be repeated
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub env: Vec<OsString>,
}

impl SecretArgs {
    /// Gives the secrets to a client.
    pub fn give(&self, client: Client) -> Result<Client, CliError> {
        let secrets: Result<Vec<_>, SubmissionError> = self.env.iter().map(|given| of(given)).collect();
        Ok(client.with_secrets(secrets?))
    }

    /// Gives them to a client that starts one job, which must be one whose units get them.
    pub fn give_to(&self, client: Client, job: JobId) -> Result<Client, CliError> {
        let client = self.give(client)?;
        client.expect_secrets(job)?;
        Ok(client)
    }
}

fn of(given: &OsStr) -> Result<(OsString, OsString), SubmissionError> {
    let bytes = given.as_bytes();
    let name = || given.to_string_lossy().into_owned();
    match bytes.iter().position(|byte| *byte == b'=') {
        None => match env::var_os(given) {
            Some(value) => Ok((given.to_owned(), value)),
            None => Err(SubmissionError::EnvMissing(name())),
        },
        Some(0) => Err(SubmissionError::EnvName(name())),
        Some(at) => {
            let part = |bytes: &[u8]| OsStr::from_bytes(bytes).to_owned();
            Ok((part(&bytes[..at]), part(&bytes[at + 1..])))
        }
    }
}
