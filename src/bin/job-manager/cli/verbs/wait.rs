//! `wait`: block until jobs end.

use std::time::Duration;

use clap::Args;

use crate::cli::follow::print_summary;
use crate::cli::values;
use crate::cli::which::JobsArg;
use crate::cli::why_paused::hint_why_paused;
use crate::cli::{CliError, Exit, Global, Output};

/// Block until jobs end, are paused, or one loses its manager; the exit code tells which, of several the worst
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager wait photos films --timeout 10m")]
pub struct Wait {
    #[command(flatten)]
    pub jobs: JobsArg,
    /// Give up after this time, with exit code 124; the jobs go on
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub timeout: Option<Duration>,
}

pub fn wait(global: &Global, args: &Wait, output: &mut Output) -> Result<Exit, CliError> {
    let client = global.read_client()?;
    let jobs = args.jobs.find(&client)?;
    let seen = client.wait_all(&jobs, args.timeout)?;
    for (job, outcome) in &seen {
        print_summary(&client, *job, output)?;
        hint_why_paused(&client, *job, *outcome, output)?;
    }
    Ok(Exit::worst(seen.into_iter().map(|(_, outcome)| outcome.into())))
}
