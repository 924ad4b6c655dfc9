//! `retry`: ask for units again.

use clap::Args;

use super::args::{Global, JobArg};
use super::error::CliError;
use super::exit::Exit;
use super::filter::FilterArgs;
use super::output::Output;
use crate::model::JobStatus;

/// Send failed or cancelled units back to pending
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager retry photos --failed")]
pub(super) struct Retry {
    #[command(flatten)]
    pub job: JobArg,
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Every unit that failed or was cancelled
    #[arg(long)]
    pub all: bool,
}

pub(super) fn retry(global: &Global, args: &Retry, output: &mut Output) -> Result<Exit, CliError> {
    if args.filter.is_empty() && !args.all {
        return Err(CliError::NoFilter);
    }
    let client = global.open_client()?;
    let job = args.job.find(&client)?;
    let changed = client.retry_units(job, &args.filter.filter())?;
    output.changed(job, changed, "pending again")?;
    if client.job(job)?.status == JobStatus::Paused {
        output.hint(format_args!("`job-manager resume {job}` runs them"));
    }
    Ok(Exit::Success)
}
