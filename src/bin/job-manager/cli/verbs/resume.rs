//! `resume`: continue what was stopped or interrupted.

use clap::Args;

use super::submit::print_started;
use crate::cli::args::Global;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::secret_args::SecretArgs;
use crate::cli::which::JobOrKeyArg;
use crate::cli::wording;

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

pub fn resume(global: &Global, args: &Resume, output: &mut Output) -> Result<Exit, CliError> {
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
    let mut first_error = None;
    for job in jobs {
        if args.no_scope {
            client.forget_scope(job)?;
        }
        match client.resume_job(job) {
            Ok(started) => print_started(&client, job, started, output)?,
            // One that cannot be resumed is no reason to leave the others where they are.
            Err(error) if args.all => {
                output.hint(format_args!("job {job} is not resumed: {}", wording::said(&error)));
                first_error.get_or_insert(error);
            }
            Err(error) => return Err(error.into()),
        }
    }
    first_error.map_or(Ok(Exit::Success), |error| Err(error.into()))
}
