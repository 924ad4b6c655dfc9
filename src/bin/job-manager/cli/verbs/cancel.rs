//! `cancel`: end a job, or some of its units, permanently.

use clap::Args;
use job_manager::client::{Client, ClientError, JobOutcome, UnitsCancelled};
use job_manager::model::{JobId, JobStatus, Seq, UnitFilter, UnitStatus};
use job_manager::text::counted;

use super::kill::wait_for_end;
use crate::cli::confirm::confirm_for_last;
use crate::cli::filter::KeylessFilterArgs;
use crate::cli::output::SEARCH_TIMEOUT;
use crate::cli::which::TargetArg;
use crate::cli::{CliError, Global, Output};

/// End a job, or some of its units, permanently
///
/// With a filter the job goes on without the units that it selects, whether they wait or run.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager cancel photos --match '\\.gif$' --reason 'no photos'")]
pub struct Cancel {
    #[command(flatten)]
    pub target: TargetArg,
    #[command(flatten)]
    pub filter: KeylessFilterArgs,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "cancelled on request")]
    pub reason: String,
    /// Return at once; by default this waits until the job or the unit has ended
    #[arg(long)]
    pub no_wait: bool,
}

pub fn cancel(global: &Global, args: &Cancel, output: &mut Output) -> Result<(), CliError> {
    let client = global.open_client()?;
    let (job, seq, key) = args.target.find_with_key(&client)?;
    let of_units = !args.filter.is_empty() || key.is_some();
    if of_units && seq.is_some() {
        return Err(CliError::UnitAndFilter);
    }
    if !args.target.is_named() {
        confirm_for_last(global, &client, job, if of_units { "cancel units of" } else { "cancel" })?;
    }
    if of_units {
        return cancel_units(&client, job, &UnitFilter { key, ..args.filter.filter() }, args, output);
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

fn cancel_units(
    client: &Client,
    job: JobId,
    filter: &UnitFilter,
    args: &Cancel,
    output: &mut Output,
) -> Result<(), CliError> {
    let UnitsCancelled { mut waiting, running, .. } =
        client.cancel_units(job, filter, &args.reason, Some(SEARCH_TIMEOUT))?;
    if !args.no_wait {
        for unit in &running {
            let status = wait_for_end(client, job, unit.seq, unit.attempt)?;
            // One that came to an end of its own before the request was seen keeps that.
            waiting.changed += i64::from(status == UnitStatus::Cancelled);
        }
    }
    output.swept(job, waiting, "cancelled")?;
    if args.no_wait && !running.is_empty() {
        output.hint(format_args!("{} asked to end", counted(running.len(), "unit")));
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
