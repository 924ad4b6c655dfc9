//! `recover`: mend what dead managers left behind.

use std::collections::HashSet;

use clap::Args;
use job_manager::model::JobId;

use super::submit::start_each;
use crate::cli::secret_args::SecretArgs;
use crate::cli::which::JobOrKeyArg;
use crate::cli::{CliError, Global, Output};

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

pub fn recover(global: &Global, args: &Recover, output: &mut Output) -> Result<(), CliError> {
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
    let created: HashSet<JobId> = jobs[interrupted..].iter().copied().collect();
    let start = |job| match several && created.contains(&job) {
        true => ("started", client.start_detached(job)),
        false => ("recovered", client.recover_job(job)),
    };
    start_each(&client, jobs, several, start, output)
}
