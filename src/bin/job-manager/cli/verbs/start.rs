//! `start`: start the manager of a job.

use clap::Args;

use super::submit::print_started;
use crate::cli::secret_args::SecretArgs;
use crate::cli::which::JobOrKeyArg;
use crate::cli::{CliError, Global, Output};

/// Start a job detached and print its manager's process number
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager start photos")]
pub struct Start {
    #[command(flatten)]
    pub job: JobOrKeyArg,
    /// Do without the systemd scope that the job was created with, from now on
    #[arg(long)]
    pub no_scope: bool,
    #[command(flatten)]
    pub secrets: SecretArgs,
}

pub fn start(global: &Global, args: &Start, output: &mut Output) -> Result<(), CliError> {
    let client = global.open_client()?;
    let job = args.job.find(&client)?;
    let client = args.secrets.give_to(client, job)?;
    if args.no_scope {
        client.forget_scope(job)?;
    }
    print_started(&client, job, client.start_detached(job)?, output)
}
