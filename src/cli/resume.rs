//! `resume`: continue what was stopped or interrupted.

use clap::Args;

use super::args::{Global, JobArg};
use super::error::CliError;
use super::exit::Exit;
use super::output::Output;
use super::submit::print_started;

/// Continue a job that was paused or interrupted and print its manager's process number
///
/// Example: job-manager resume --all
#[derive(Debug, Args)]
pub(super) struct Resume {
    #[command(flatten)]
    pub job: JobArg,
    /// Continue every job that was paused or interrupted
    #[arg(long, conflicts_with = "job")]
    pub all: bool,
}

pub(super) fn resume(global: &Global, args: &Resume, output: &mut Output) -> Result<Exit, CliError> {
    let client = global.open_client()?;
    let jobs = if args.all { client.resumable_jobs()? } else { vec![args.job.find(&client)?] };
    if jobs.is_empty() {
        output.hint("no job is paused or interrupted");
        return Ok(Exit::WrongState);
    }
    for job in jobs {
        print_started(job, client.resume_job(job)?, output)?;
    }
    Ok(Exit::Success)
}
