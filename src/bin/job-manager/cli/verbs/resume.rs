//! `resume`: continue what was stopped or interrupted.

use clap::Args;

use super::submit::start_each;
use crate::cli::secret_args::SecretArgs;
use crate::cli::which::JobOrKeyArg;
use crate::cli::{CliError, Global, Output};

/// Continue a job that was paused or interrupted and print its manager's process number
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager resume --all")]
pub struct Resume {
    #[command(flatten)]
    pub job: JobOrKeyArg,
    /// Do without the systemd scope that the job was created with, from now on
    #[arg(long)]
    pub no_scope: bool,
    /// Continue every job that was paused or interrupted
    #[arg(long, conflicts_with_all = ["job", "job_key", "key"])]
    pub all: bool,
    #[command(flatten)]
    pub secrets: SecretArgs,
}

pub fn resume(global: &Global, args: &Resume, output: &mut Output) -> Result<(), CliError> {
    let client = global.open_client()?;
    let jobs = if args.all { client.resumable_jobs()? } else { vec![args.job.find(&client)?] };
    // Of all jobs, each gets those that it was submitted with.
    let client = match jobs[..] {
        [job] if !args.all => args.secrets.give_to(client, job)?,
        _ => args.secrets.give(client)?,
    };
    if jobs.is_empty() {
        return Err(CliError::NothingToResume);
    }
    let resume = |job| {
        let forgotten = if args.no_scope { client.forget_scope(job) } else { Ok(()) };
        ("resumed", forgotten.and_then(|()| client.resume_job(job)))
    };
    start_each(&client, jobs, args.all, resume, output)
}
