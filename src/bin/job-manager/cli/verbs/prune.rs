//! `prune`: delete jobs that are over.

use std::collections::HashSet;
use std::time::Duration;

use clap::Args;
use job_manager::client::{Client, ClientError, PruneOptions, StoreError};
use job_manager::model::{Bytes, FoundJobs, Job, JobId, Timestamp};
use job_manager::text::counted;
use serde_json::json;

use crate::cli::confirm::confirm;
use crate::cli::table::table;
use crate::cli::text::{shortened, span};
use crate::cli::{CliError, Exit, Global, Output, values, wording};

const NAME_WIDTH: usize = 40;
/// Free space that is worth a hint.
const WORTH_BYTES: u64 = 1 << 20;

/// Deleted units after which a server is busy with their rows for a while.
const MANY_UNITS: i64 = 100_000;

/// Delete jobs that have ended, with their units and logs
///
/// Jobs with units left to run stay.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager prune --older-than 30d --keep 10 -y")]
pub struct Prune {
    /// Only jobs that ended at least so long ago, such as 30d or 12h
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub older_than: Option<Duration>,
    /// Keep the newest N of them
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = |text: &str| values::whole(text, 0, usize::MAX), allow_negative_numbers = true)]
    pub keep: usize,
    /// Show what would be deleted, and delete nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Rewrite the database without its free space, where an older version has made it; no manager may run
    #[arg(long)]
    pub compact: bool,
}

pub fn prune(global: &Global, args: &Prune, output: &mut Output) -> Result<Exit, CliError> {
    let client = if args.dry_run { global.read_client()? } else { global.open_client()? };
    let FoundJobs { jobs: chosen, unreadable } =
        client.prunable_jobs(PruneOptions { older_than: args.older_than, keep: args.keep })?;
    unreadable.iter().for_each(|job| output.hint(wording::unreadable(job)));
    if args.dry_run {
        print(&chosen, true, output)?;
        if !output.json && !output.quiet && !chosen.is_empty() {
            output.line(table(&["ID", "NAME", "STATUS", "UNITS", "ENDED"], &[0, 3, 4], chosen.iter().map(row)))?;
        }
        say_reclaimable(&client, output)?;
        return Ok(Exit::Success);
    }
    if args.compact {
        // Before anything is deleted.
        client.refuse_to_compact_beside_managers()?;
    }
    if !chosen.is_empty() {
        let units: i64 = chosen.iter().map(|job| job.progress.total).sum();
        confirm(global, &format!("delete {} with {}", counted(chosen.len(), "finished job"), counted(units, "unit")))?;
    }
    let ids: Vec<JobId> = chosen.iter().map(|job| job.id).collect();
    let mut deleted = HashSet::new();
    let mut first_error = None;
    let pruned = client.prune_jobs(&ids, |id, outcome| match outcome {
        Ok(true) => drop(deleted.insert(id)),
        Ok(false) => output.hint(format_args!("job {id} is kept: it has units to run again")),
        // One that cannot be deleted is no reason to keep the others.
        Err(error) => {
            output.hint(format_args!("job {id} is kept: {}", wording::said(&error)));
            first_error.get_or_insert(error);
        }
    });
    let deleted: Vec<Job> = chosen.into_iter().filter(|job| deleted.contains(&job.id)).collect();
    print(&deleted, false, output)?;
    pruned?;
    let units: i64 = deleted.iter().map(|job| job.progress.total).sum();
    if units >= MANY_UNITS && client.leaves_dead_rows() {
        output.hint(
            "autovacuum of the server makes their space free for new units: `VACUUM units` does so at once, `VACUUM FULL` alone makes \
             the files smaller",
        );
    }
    if args.compact {
        client.compact()?;
    }
    say_reclaimable(&client, output)?;
    let unreadable = unreadable.into_iter().next().map(|job| StoreError::from(job).into());
    match first_error.or(unreadable) {
        // The lines above have named them all.
        Some(ClientError::Store(StoreError::Unreadable(_))) if !output.json => Ok(Exit::Database),
        Some(error) => Err(error.into()),
        None => Ok(Exit::Success),
    }
}

/// Says what only a compaction gives back to the file system, if that is something.
pub fn say_reclaimable(client: &Client, output: &mut Output) -> Result<(), CliError> {
    let bytes = client.reclaimable_bytes()?;
    if bytes >= WORTH_BYTES {
        output.hint(format_args!(
            "{} of the database are free and stay with it: `job-manager prune --compact` gives them back to the file system",
            Bytes(bytes)
        ));
    }
    Ok(())
}

fn print(jobs: &[Job], dry_run: bool, output: &mut Output) -> Result<(), CliError> {
    let units: i64 = jobs.iter().map(|job| job.progress.total).sum();
    let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
    if output.json {
        let changed = if dry_run { 0 } else { units };
        let key = if dry_run { "would_delete" } else { "deleted" };
        output.document(&json!({ "schema": 1, key: ids, "units_changed": changed }))?;
    } else if output.quiet {
        for id in ids {
            output.line(id)?;
        }
    } else {
        let verb = if dry_run { "would be deleted" } else { "deleted" };
        output.line(format_args!("{} with {} {verb}", counted(jobs.len(), "job"), counted(units, "unit")))?;
    }
    Ok(())
}

fn row(job: &Job) -> Vec<String> {
    vec![
        job.id.to_string(),
        shortened(&job.name, NAME_WIDTH),
        job.status.to_string(),
        job.progress.total.to_string(),
        job.finished_at.map(|at| format!("{} ago", span(Timestamp::now().since(at)))).unwrap_or_default(),
    ]
}
