//! `reject`: cancel a job whose first units have ended.

use clap::Args;

use crate::cli::confirm::confirm_for_last;
use crate::cli::which::JobOrKeyArg;
use crate::cli::{CliError, Global, Output};

/// Cancel a job whose first units, those of --canary, have ended
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager reject photos --reason 'blurred'")]
pub struct Reject {
    #[command(flatten)]
    pub job: JobOrKeyArg,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "rejected after its first units")]
    pub reason: String,
}

pub fn reject(global: &Global, args: &Reject, output: &mut Output) -> Result<(), CliError> {
    let client = global.open_client()?;
    let job = args.job.find(&client)?;
    if !args.job.is_named() {
        confirm_for_last(global, &client, job, "reject")?;
    }
    let before = client.progress(job)?.cancelled;
    client.reject_job(job, &args.reason)?;
    output.changed(job, client.progress(job)?.cancelled - before, "cancelled")
}
