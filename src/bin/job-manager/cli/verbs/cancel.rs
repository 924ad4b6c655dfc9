//! `cancel`: end a job or a unit permanently.

use clap::Args;
use job_manager::client::{Client, ClientError, JobOutcome};
use job_manager::model::{JobId, JobStatus, Seq, UnitStatus};

use super::kill::wait_for_end;
use crate::cli::confirm::confirm_for_last;
use crate::cli::which::TargetArg;
use crate::cli::{CliError, Global, Output};

/// End a job, or one of its units, permanently
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager cancel photos:17 --reason 'wrong file'")]
pub struct Cancel {
    #[command(flatten)]
    pub target: TargetArg,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "cancelled on request")]
    pub reason: String,
    /// Return at once; by default this waits until the job or the unit has ended
    #[arg(long)]
    pub no_wait: bool,
}

pub fn cancel(global: &Global, args: &Cancel, output: &mut Output) -> Result<(), CliError> {
    let client = global.open_client()?;
    let (job, seq) = args.target.find(&client)?;
    if !args.target.is_named() {
        confirm_for_last(global, &client, job, "cancel")?;
    }
    let changed = match seq {
        Some(seq) => return cancel_unit(&client, job, seq, args, output),
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
    if !args.no_wait && status != JobStatus::Cancelled {
        // It came to an end of its own before the request was seen.
        return Err(ClientError::WrongStatus { operation: "cancel", job, status }.into());
    }
    output.changed(job, changed, "cancelled")?;
    if status != JobStatus::Cancelled {
        output.hint(format_args!("job {job} was asked to end"));
    }
    Ok(())
}

fn cancel_unit(client: &Client, job: JobId, seq: Seq, args: &Cancel, output: &mut Output) -> Result<(), CliError> {
    let attempt = client.unit(job, seq)?.attempts;
    client.cancel_unit(job, seq, &args.reason)?;
    let status = if args.no_wait { client.unit(job, seq)?.status } else { wait_for_end(client, job, seq, attempt)? };
    match status {
        UnitStatus::Cancelled => output.changed(job, 1, "cancelled")?,
        UnitStatus::Running if args.no_wait => output.changed(job, 1, "asked to end")?,
        // It came to an end of its own before the request was seen.
        _ => return Err(ClientError::UnitIdle { job, seq, status }.into()),
    }
    Ok(())
}
