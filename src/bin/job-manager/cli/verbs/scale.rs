//! `scale`: change the number of a job's workers, or that over all jobs, also while they run.

use clap::Args;
use job_manager::client::{Client, WorkersSet};
use serde_json::json;

use crate::cli::values::{self, MachineLimit};
use crate::cli::which::JobKeys;
use crate::cli::{CliError, Global, Output};

/// Change how many units run at the same time, of one job or over all jobs, also while they run
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager scale photos 16")]
pub struct Scale {
    /// Job: its number, uid or prefix of that, name, or `last`
    #[arg(value_name = "JOB", required_unless_present_any = ["machine", "job_key", "key"])]
    pub job: Option<String>,
    /// A number, or a percentage of the processors
    #[arg(value_name = "N", value_parser = values::workers, required_unless_present_any = ["machine", "total", "job_key", "key"])]
    pub workers: Option<usize>,
    /// N under all managers of the job together, where several hosts run it; the same as N elsewhere
    #[arg(long, value_name = "N", value_parser = values::workers, conflicts_with_all = ["workers", "machine"])]
    pub total: Option<usize>,
    /// At most N units over all jobs of this database; `none` ends that limit
    #[arg(long, value_name = "N", value_parser = values::machine_workers, conflicts_with_all = ["job", "workers", "job_key", "key"])]
    pub machine: Option<MachineLimit>,
    #[command(flatten)]
    pub keys: JobKeys,
}

pub fn scale(global: &Global, args: &Scale, output: &mut Output) -> Result<(), CliError> {
    let client = global.open_client()?;
    if let Some(total) = args.total {
        let job = match (args.keys.find(&client)?, &args.job) {
            (None, Some(job)) => client.find_job(job)?,
            (Some(job), None) => job,
            _ => return Err(CliError::TwoJobs),
        };
        client.set_total_workers(job, total)?;
        return output.answer(&WorkersSet::new(job, total), total, total);
    }
    let (job, workers) = match (args.keys.find(&client)?, &args.job, args.workers) {
        (None, Some(job), Some(workers)) => (client.find_job(job)?, workers),
        // Beside a key the first word is the number.
        (Some(job), Some(workers), None) => (job, values::workers(workers).map_err(CliError::Value)?),
        (Some(_), Some(_), Some(_)) => return Err(CliError::TwoJobs),
        (Some(_), None, _) => return Err(CliError::Value("give the number of workers".to_owned())),
        (None, ..) => return scale_machine(&client, args, output),
    };
    let limits = client.set_limits(job, |limits| limits.set_workers(workers))?;
    output.answer(&WorkersSet::new(job, limits.workers), limits.workers, limits.workers)
}

fn scale_machine(client: &Client, args: &Scale, output: &mut Output) -> Result<(), CliError> {
    let limit = args.machine.and_then(|MachineLimit(limit)| limit);
    client.set_machine_workers(limit)?;
    let word = limit.map_or("none".to_owned(), |limit| limit.to_string());
    output.answer(&json!({ "schema": 1, "machine_workers": limit }), &word, &word)
}
