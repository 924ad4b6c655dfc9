//! `recover`: mend what dead managers left behind.

use clap::Args;

use super::submit::print_started;
use crate::cli::args::Global;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::secret_args::SecretArgs;
use crate::cli::which::JobOrKeyArg;
use crate::cli::wording;

/// End what a dead manager left running, and continue its job
///
/// A job whose manager was sent a signal, as at a shutdown, goes on too. Unlike `resume` it leaves jobs alone that
/// somebody paused, and a job that was being stopped or cancelled gets there. With --all and --created it succeeds when there is
/// nothing to do: for the start of a machine.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager recover --all")]
pub struct Recover {
    #[command(flatten)]
    pub job: JobOrKeyArg,
    /// Every job that was interrupted
    #[arg(long, conflicts_with_all = ["job", "job_key", "key"])]
    pub all: bool,
    /// Every job that was created and never started, also one that was held back
    #[arg(long, conflicts_with_all = ["job", "job_key", "key"])]
    pub created: bool,
    #[command(flatten)]
    pub secrets: SecretArgs,
}

pub fn recover(global: &Global, args: &Recover, output: &mut Output) -> Result<Exit, CliError> {
    let client = global.open_client()?;
    let several = args.all || args.created;
    let mut jobs = match several {
        true => Vec::new(),
        false => vec![args.job.find(&client)?],
    };
    if args.all {
        jobs = client.interrupted_jobs()?;
        if jobs.is_empty() {
            output.hint("no job is interrupted");
        }
    }
    let interrupted = jobs.len();
    if args.created {
        jobs.extend(client.unstarted_jobs()?);
        if jobs.len() == interrupted {
            output.hint("every job was started");
        }
    }
    // Of several jobs, each gets those that it was submitted with.
    let client = match jobs[..] {
        [job] if !several => args.secrets.give_to(client, job)?,
        _ => args.secrets.give(client)?,
    };
    let mut first_error = None;
    for (place, job) in jobs.into_iter().enumerate() {
        let is_created = several && place >= interrupted;
        match if is_created { client.start_detached(job) } else { client.recover_job(job) } {
            Ok(started) => print_started(&client, job, started, output)?,
            // One that cannot be recovered is no reason to leave the others where they are.
            Err(error) if several => {
                let operation = if is_created { "started" } else { "recovered" };
                output.hint(format_args!("job {job} is not {operation}: {}", wording::said(&error)));
                first_error.get_or_insert(error);
            }
            Err(error) => return Err(error.into()),
        }
    }
    first_error.map_or(Ok(Exit::Success), |error| Err(error.into()))
}
