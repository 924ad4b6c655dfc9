//! `retry`: ask for units again.

use clap::Args;
use job_manager::model::{JobStatus, UnitStatus};

use crate::cli::filter::FilterArgs;
use crate::cli::output::SEARCH_TIMEOUT;
use crate::cli::which::JobArg;
use crate::cli::{CliError, Global, Output};

/// Send failed or cancelled units back to pending, and have those tried at once that wait for a later time, with --status pending
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager retry photos --failed")]
pub struct Retry {
    #[command(flatten)]
    pub job: JobArg,
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Every unit that failed or was cancelled
    #[arg(long)]
    pub all: bool,
    /// Replace each unit of several items by units of one
    #[arg(long)]
    pub one_by_one: bool,
}

pub fn retry(global: &Global, args: &Retry, output: &mut Output) -> Result<(), CliError> {
    let client = global.open_client()?;
    let job = args.job.find(&client)?;
    let mut filter = args.filter.filter();
    if args.filter.is_empty() && !args.all {
        filter.statuses = vec![UnitStatus::Failed];
    }
    let changed = if args.one_by_one {
        client.retry_one_by_one(job, &filter, Some(SEARCH_TIMEOUT))?
    } else {
        client.retry_units_within(job, &filter, Some(SEARCH_TIMEOUT))?
    };
    output.swept(job, changed, "pending again")?;
    if client.job(job)?.status == JobStatus::Paused {
        output.hint(format_args!("`job-manager resume {job}` runs them"));
    }
    Ok(())
}
