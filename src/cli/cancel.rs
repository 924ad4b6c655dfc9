//! `cancel`: end a job or a unit permanently.

use clap::Args;

use super::args::Global;
use super::confirm::confirm_for_last;
use super::error::CliError;
use super::exit::Exit;
use super::output::Output;
use super::which::TargetArg;
use crate::client::{ClientError, JobOutcome};
use crate::model::JobStatus;

/// End a job, or one of its units, permanently
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager cancel photos:17 --reason 'wrong file'")]
pub(super) struct Cancel {
    #[command(flatten)]
    pub target: TargetArg,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "cancelled on request")]
    pub reason: String,
    /// Return at once; by default this waits until the job is cancelled
    #[arg(long)]
    pub no_wait: bool,
}

pub(super) fn cancel(global: &Global, args: &Cancel, output: &mut Output) -> Result<Exit, CliError> {
    let client = global.open_client()?;
    let (job, seq) = args.target.find(&client)?;
    if !args.target.is_named() {
        confirm_for_last(global, &client, job, "cancel")?;
    }
    let changed = match seq {
        Some(seq) => {
            client.cancel_unit(job, seq, &args.reason)?;
            1
        }
        None => {
            let before = client.progress(job)?.cancelled;
            client.cancel_job(job, &args.reason)?;
            // A manager that dies while it cancels leaves the rest to us.
            while !args.no_wait && client.wait(job, None)? == JobOutcome::ManagerLost {
                client.cancel_job(job, &args.reason)?;
            }
            client.progress(job)?.cancelled - before
        }
    };
    let status = client.job(job)?.status;
    if seq.is_none() && !args.no_wait && status != JobStatus::Cancelled {
        // It came to an end of its own before the wish was seen.
        return Err(ClientError::WrongStatus { operation: "cancel", job, status }.into());
    }
    output.changed(job, changed, "cancelled")?;
    Ok(Exit::Success)
}
