//! `sync`: bring a job in line with a source that has changed.

use clap::Args;
use serde_json::json;

use super::add::{self, Add};
use super::args::Global;
use super::error::CliError;
use super::exit::Exit;
use super::output::Output;
use crate::model::JobStatus;

/// Bring a job in line with a source: new units are added, changed ones run again, those that are gone are left out
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager sync people --csv people.csv --unit-key '{email}'")]
pub(super) struct Sync {
    #[command(flatten)]
    pub add: Add,
    /// Show what differs and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

pub(super) fn sync(global: &Global, args: &Sync, output: &mut Output) -> Result<Exit, CliError> {
    let client = if args.dry_run { global.read_client()? } else { global.open_client()? };
    let job = client.job(client.find_job(&args.add.job)?)?;
    let (units, notes) = add::units(&args.add, &job)?;
    let plan = client.try_plan_sync(job.id, units)?;
    output.hints(&notes.texts());
    if !args.dry_run {
        client.apply_sync(job.id, &plan)?;
    }
    let (new, changed, gone) = (plan.new.len(), plan.changed.len(), plan.gone.len());
    if output.json {
        output.document(&json!({
            "schema": 1, "job": { "id": job.id }, "new": new, "changed": changed, "gone": gone, "same": plan.same,
            "dry_run": args.dry_run,
        }))?;
        return Ok(Exit::Success);
    }
    output.line(format_args!("+{new} new, ~{changed} changed, -{gone} gone, {} the same", plan.same))?;
    if !args.dry_run && client.job(job.id)?.status == JobStatus::Paused {
        output.hint(format_args!("`job-manager resume {}` runs what is to be run", job.id));
    }
    Ok(Exit::Success)
}
