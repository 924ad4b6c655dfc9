//! `wait`: block until a job ends.

use std::time::Duration;

use clap::Args;

use super::args::Global;
use super::error::CliError;
use super::exit::Exit;
use super::follow::print_summary;
use super::output::Output;
use super::values;
use super::which::JobOrKeyArg;

/// Block until a job ends, is paused, or loses its manager; the exit code tells which
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager wait photos --timeout 10m")]
pub(super) struct Wait {
    #[command(flatten)]
    pub job: JobOrKeyArg,
    /// Give up after this time, with exit code 124; the job goes on
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub timeout: Option<Duration>,
}

pub(super) fn wait(global: &Global, args: &Wait, output: &mut Output) -> Result<Exit, CliError> {
    let client = global.read_client()?;
    let job = args.job.find(&client)?;
    let outcome = client.wait(job, args.timeout)?;
    print_summary(&client, job, output)?;
    Ok(outcome.into())
}
