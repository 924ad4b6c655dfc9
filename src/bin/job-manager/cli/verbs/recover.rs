//! `recover`: mend what dead managers left behind.

use std::collections::HashSet;

use clap::Args;
use job_manager::client::Client;
use job_manager::model::{JobId, ManagerState};
use serde_json::json;

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
    /// Take that host for dead: its units, of JOB or of each job, go to other hosts at once
    #[arg(long, value_name = "HOST", conflicts_with_all = ["all", "created", "env"])]
    pub host: Option<String>,
    #[command(flatten)]
    pub secrets: SecretArgs,
}

pub fn recover(global: &Global, args: &Recover, output: &mut Output) -> Result<(), CliError> {
    let client = global.open_client()?;
    if let Some(host) = &args.host {
        return give_up(&client, host, args, output);
    }
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

fn give_up(client: &Client, host: &str, args: &Recover, output: &mut Output) -> Result<(), CliError> {
    let job = if args.job.is_named() { Some(args.job.find(client)?) } else { None };
    let jobs = client.give_up_host(host, job)?;
    if jobs.is_empty() {
        return Err(CliError::HostNotFound(host.to_owned()));
    }
    if output.json {
        output.document(&json!({ "schema": 1, "host": host, "jobs": jobs }))?;
    }
    for job in &jobs {
        match (output.json, output.quiet) {
            (true, _) => {}
            (_, true) => output.line(job)?,
            _ => output.line(format_args!("job {job}: what host {host} had goes to other hosts"))?,
        }
        if !client.managers(*job)?.iter().any(|manager| manager.state == ManagerState::Live) {
            output.hint(format_args!("no host runs job {job} now: `resume {job}` goes on with it here"));
        }
    }
    Ok(())
}
