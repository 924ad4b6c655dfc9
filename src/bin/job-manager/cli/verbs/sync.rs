//! `sync`: bring a job in line with a source that has changed.

use clap::Args;
use job_manager::client::Synced;
use job_manager::model::JobStatus;
use serde_json::json;

use super::add::{self, Add};
use crate::cli::wording;
use crate::cli::{CliError, Global, Output};

/// Bring a job in line with a source: new units are added, changed ones run again, those that are gone are skipped
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager sync people --csv people.csv")]
pub struct Sync {
    #[command(flatten)]
    pub add: Add,
    /// Show what differs and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

pub fn sync(global: &Global, args: &Sync, output: &mut Output) -> Result<(), CliError> {
    if args.add.source.is_limited() {
        return Err(CliError::SyncOfSome);
    }
    let client = if args.dry_run { global.read_client()? } else { global.open_client()? };
    let job = client.job(args.add.find(&client)?)?;
    let (units, notes) = add::units(&client, &args.add, &job)?;
    let (plan, changed_running) = if args.dry_run {
        (client.try_plan_sync(job.id, units)?, 0)
    } else {
        let Synced { plan, changed_running, .. } = client.try_sync_units(job.id, units)?;
        (plan, changed_running)
    };
    output.hints(&wording::remarks(&notes.remarks()));
    let (new, changed, gone) = (plan.new.len(), plan.changed.len(), plan.gone.len());
    if changed_running > 0 {
        output.hint(format_args!(
            "changed units that still run with their old content: {}; sync again when they have ended",
            changed_running
        ));
    }
    if output.json {
        output.document(&json!({
            "schema": 1, "job": { "id": job.id }, "new": new, "changed": changed, "gone": gone,
            "gone_ended": plan.gone_ended, "gone_running": plan.gone_running, "same": plan.same,
            "back": plan.back.len(), "changed_running": changed_running, "dry_run": args.dry_run,
        }))?;
        return Ok(());
    }
    let of_gone = of_which(&[(plan.gone_ended, "had ended"), (plan.gone_running, "still running")]);
    let of_same = of_which(&[(plan.back.len(), "back in the source")]);
    output
        .line(format_args!("+{new} new, ~{changed} changed, -{gone} gone{of_gone}, {} the same{of_same}", plan.same))?;
    if gone > 0 {
        output.hint(format_args!("`job-manager results` skips what is gone, with --all it shows that too"));
    }
    if !args.dry_run && client.job(job.id)?.status == JobStatus::Paused {
        output.hint(format_args!("`job-manager resume {}` runs what is to be run", job.id));
    }
    Ok(())
}

/// Names the parts of a number that are not 0, in brackets.
fn of_which(parts: &[(usize, &str)]) -> String {
    let parts: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}
