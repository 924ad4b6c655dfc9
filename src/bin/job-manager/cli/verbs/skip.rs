//! `skip`: skip units.

use clap::Args;
use job_manager::model::JobStatus;

use crate::cli::filter::FilterArgs;
use crate::cli::output::SEARCH_TIMEOUT;
use crate::cli::which::JobArg;
use crate::cli::{CliError, Global, Output};

/// Skip units that are pending or failed
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager skip photos --failed --match '\\.gif$' --reason 'no photos'")]
pub struct Skip {
    #[command(flatten)]
    pub job: JobArg,
    #[command(flatten)]
    pub filter: FilterArgs,
    /// Every unit that is pending or failed
    #[arg(long)]
    pub all: bool,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "skipped on request")]
    pub reason: String,
}

pub fn skip(global: &Global, args: &Skip, output: &mut Output) -> Result<(), CliError> {
    if args.filter.is_empty() && !args.all {
        return Err(CliError::NoFilter);
    }
    let client = global.open_client()?;
    let job = args.job.find(&client)?;
    let changed = client.skip_units_within(job, &args.filter.filter(), &args.reason, Some(SEARCH_TIMEOUT))?;
    output.swept(job, changed, "skipped")?;
    let row = client.job(job)?;
    if row.status == JobStatus::Paused && row.progress.unfinished() == 0 {
        output.hint(format_args!("no unit is left, `job-manager resume {job}` ends the job"));
    }
    Ok(())
}
