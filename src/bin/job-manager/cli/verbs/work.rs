//! `work`: a host's share of jobs.

use clap::Args;
use job_manager::client::{WorkEvent, WorkOptions, install_stop_flags};

use crate::cli::{CliError, Global, Output};

/// Run this host's share of jobs: start their managers here, and again when they die
///
/// TERM or Ctrl-C leaves: units under way end, what is left goes on elsewhere, and a job that runs nowhere else is paused. A
/// second one ends the units that run.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager work last --exit-when-idle")]
pub struct Work {
    /// Jobs: number, uid or prefix of that, name, or `last`
    #[arg(value_name = "JOB", required_unless_present = "any")]
    pub jobs: Vec<String>,
    /// Each job that is running, also those that are started later
    #[arg(long, conflicts_with = "jobs")]
    pub any: bool,
    /// Most units of each job that run at the same time here [default: as the job says]
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub workers: Option<u16>,
    /// End with success once no job has anything to do
    #[arg(long)]
    pub exit_when_idle: bool,
}

pub fn work(global: &Global, args: &Work, output: &mut Output) -> Result<(), CliError> {
    let client = global.open_client()?;
    let jobs = args.jobs.iter().map(|job| client.find_job(job)).collect::<Result<Vec<_>, _>>()?;
    let options = WorkOptions {
        jobs: (!args.any).then_some(jobs),
        workers: args.workers.map(usize::from),
        exit_when_idle: args.exit_when_idle,
    };
    let signals = install_stop_flags().map_err(CliError::Signals)?;
    let mut refused = Ok(());
    client.work(&options, &signals, |event| {
        let printed = print(&event, output);
        if refused.is_ok() {
            refused = printed;
        }
    })?;
    refused
}

fn print(event: &WorkEvent, output: &mut Output) -> Result<(), CliError> {
    if output.json {
        return output.document(event);
    }
    match event {
        WorkEvent::Started { job, pid: Some(pid) } => output.line(format_args!("job {job}: process {pid}")),
        WorkEvent::Started { job, pid: None } => output.line(format_args!("job {job}: has a manager here")),
        WorkEvent::Ended { job } => output.line(format_args!("job {job}: its manager has ended here")),
        WorkEvent::Cleared { job, processes } => {
            let several = if *processes == 1 { "process" } else { "processes" };
            output.line(format_args!("job {job}: ended {processes} {several} of a dead manager"))
        }
        WorkEvent::Failed { job, reason } => {
            output.hint(format_args!("job {job} does not run here: {reason}"));
            Ok(())
        }
        WorkEvent::Away { reason } => {
            output.hint(reason);
            Ok(())
        }
    }
}
