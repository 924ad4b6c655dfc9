//! `retry`: ask for units again.

use clap::Args;
use job_manager::client::{Client, UnitsSwept};
use job_manager::model::{JobId, JobStatus, UnitFilter, UnitStatus};

use crate::cli::filter::FilterArgs;
use crate::cli::output::SEARCH_TIMEOUT;
use crate::cli::secret_args::SecretArgs;
use crate::cli::which::JobArg;
use crate::cli::{CliError, Global, Output};

/// Send failed or cancelled units back to pending, and have those tried at once that wait for a later time, with --status pending
///
/// A job that had ended is started again, and one that runs takes them up by itself. One that is paused waits for `resume`.
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
    /// Leave a job that had ended paused
    #[arg(long)]
    pub no_start: bool,
    #[command(flatten)]
    pub secrets: SecretArgs,
}

pub fn retry(global: &Global, args: &Retry, output: &mut Output) -> Result<(), CliError> {
    let client = global.open_client()?;
    let job = args.job.find(&client)?;
    let client = args.secrets.give_to(client, job)?;
    let mut filter = args.filter.filter();
    if args.filter.is_empty() && !args.all {
        filter.statuses = vec![UnitStatus::Failed];
    }
    // Its row says afterwards that it is paused.
    let had_ended = client.job(job)?.status.is_terminal();
    if had_ended && !args.no_start {
        client.check_start(job)?;
    }
    let swept = send_back(&client, job, args, &filter)?;
    output.swept(job, swept, "pending again")?;
    if had_ended && !args.no_start && swept.changed > 0 {
        return start(&client, job, output);
    }
    let seen = client.snapshot(job)?;
    match seen.job.status {
        JobStatus::AwaitingApproval => output.hint(format_args!("`job-manager approve {job}` lets them run")),
        JobStatus::Paused => output.hint(format_args!("`job-manager resume {job}` runs them")),
        _ if seen.is_interrupted() => output.hint(format_args!("`job-manager resume {job}` runs them")),
        _ => {}
    }
    Ok(())
}

fn send_back(client: &Client, job: JobId, args: &Retry, filter: &UnitFilter) -> Result<UnitsSwept, CliError> {
    Ok(match args.one_by_one {
        true => client.retry_one_by_one(job, filter, Some(SEARCH_TIMEOUT))?,
        false => client.retry_units_within(job, filter, Some(SEARCH_TIMEOUT))?,
    })
}

/// Starts the job; standard output has had its answer.
fn start(client: &Client, job: JobId, output: &mut Output) -> Result<(), CliError> {
    let started = client.start_detached(job)?;
    for name in client.missing_secrets(job)? {
        output.hint(format_args!("the units of job {job} run without {name}, which is not set here"));
    }
    match started.pid() {
        Some(pid) => output.hint(format_args!("job {job} goes on, process {pid}")),
        None => output.hint(format_args!("job {job} goes on")),
    }
    Ok(())
}
