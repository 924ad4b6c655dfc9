//! `approve`: let a job go on whose first units have ended.

use clap::Args;

use super::submit::print_started;
use crate::cli::secret_args::SecretArgs;
use crate::cli::which::JobOrKeyArg;
use crate::cli::{CliError, Global, Output};

/// Let a job go on whose first units, those of --canary, have ended
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager approve photos")]
pub struct Approve {
    #[command(flatten)]
    pub job: JobOrKeyArg,
    #[command(flatten)]
    pub secrets: SecretArgs,
}

pub fn approve(global: &Global, args: &Approve, output: &mut Output) -> Result<(), CliError> {
    let client = global.open_client()?;
    let job = args.job.find(&client)?;
    let client = args.secrets.give_to(client, job)?;
    print_started(&client, job, client.approve_job(job)?, output)
}
