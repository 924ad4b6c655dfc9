//! `approve`: let a job go on whose first units have ended.

use clap::Args;

use super::args::Global;
use super::error::CliError;
use super::exit::Exit;
use super::output::Output;
use super::secret_args::SecretArgs;
use super::submit::print_started;
use super::which::JobOrKeyArg;

/// Let a job go on whose first units, those of --canary, have ended
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager approve photos")]
pub(super) struct Approve {
    #[command(flatten)]
    pub job: JobOrKeyArg,
    #[command(flatten)]
    pub secrets: SecretArgs,
}

pub(super) fn approve(global: &Global, args: &Approve, output: &mut Output) -> Result<Exit, CliError> {
    let client = global.open_client()?;
    let job = args.job.find(&client)?;
    let client = args.secrets.give_to(client, job)?;
    print_started(&client, job, client.approve_job(job)?, output)?;
    Ok(Exit::Success)
}
