//! `wait`: block until a job ends.

use std::time::Duration;

use clap::Args;

use crate::cli::follow::print_summary;
use crate::cli::values;
use crate::cli::which::JobOrKeyArg;
use crate::cli::why_paused::hint_why_paused;
use crate::cli::{CliError, Exit, Global, Output};

/// Block until a job ends, is paused, or loses its manager; the exit code tells which
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager wait photos --timeout 10m")]
pub struct Wait {
    #[command(flatten)]
    pub job: JobOrKeyArg,
    /// Give up after this time, with exit code 124; the job goes on
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub timeout: Option<Duration>,
}

pub fn wait(global: &Global, args: &Wait, output: &mut Output) -> Result<Exit, CliError> {
    let client = global.read_client()?;
    let job = args.job.find(&client)?;
    let outcome = client.wait(job, args.timeout)?;
    print_summary(&client, job, output)?;
    hint_why_paused(&client, job, outcome, output)?;
    Ok(outcome.into())
}
