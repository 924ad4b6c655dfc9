//! `stop`: pause a job gracefully.

use std::io::IsTerminal;
use std::time::Duration;

use clap::Args;
use job_manager::client::{ClientError, JobOutcome, StopOptions};

use crate::cli::follow::print_summary;
use crate::cli::values;
use crate::cli::which::JobOrKeyArg;
use crate::cli::{CliError, Global, Output};

/// Pause a job: running units finish, nothing new is started
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager stop photos --grace 30s")]
#[command(alias = "pause")]
pub struct Stop {
    #[command(flatten)]
    pub job: JobOrKeyArg,
    /// End running units; they go back to pending
    #[arg(long)]
    pub now: bool,
    /// End running units that need longer than this
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub grace: Option<Duration>,
    /// Wait until the job is paused [default on a terminal]
    #[arg(long)]
    pub wait: bool,
}

pub fn stop(global: &Global, args: &Stop, output: &mut Output) -> Result<(), CliError> {
    // How, is more than a manager of an older version can be told.
    let is_plain = !args.now && args.grace.is_none();
    let client = if is_plain { global.stop_client()? } else { global.open_client()? };
    let job = args.job.find(&client)?;
    client.stop_manager(job, StopOptions { now: args.now, grace: args.grace })?;
    if args.wait || std::io::stdout().is_terminal() {
        let outcome = client.wait(job, None)?;
        if outcome == JobOutcome::ManagerLost {
            return Err(ClientError::Interrupted { job }.into());
        }
    }
    print_summary(&client, job, output)?;
    Ok(())
}
