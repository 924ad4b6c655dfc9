//! How a job ended, on one screen: counts and duration, the slowest units, and why units failed with the command that tries
//! each kind again.

use std::time::Duration;

use job_manager::client::{Client, ManagerStatus};
use job_manager::model::{JobId, Progress, UnitDetail, UnitFilter, UnitOrder, UnitStatus};
use job_manager::text::counted;

use crate::cli::text::{one_line, shortened, span};
use crate::cli::{CliError, Output};
use crate::system::screen_columns;

/// Kinds of failures that are named; `failures` lists all of them.
const MOST_KINDS: usize = 5;
const SLOWEST: i64 = 3;
/// What is over so soon needs no list of what took long.
const QUICK: Duration = Duration::from_secs(1);
/// How long they are looked for.
const LOOK: Duration = Duration::from_millis(300);
const ITEM_WIDTH: usize = 30;
/// A line that is longer is cut, however wide the screen is.
const MOST_COLUMNS: usize = 200;

/// Prints how a job ended; as JSON its status, which has the counts.
pub(super) fn print_ending(client: &Client, job: JobId, output: &mut Output) -> Result<(), CliError> {
    let status = client.get_manager_status(job)?;
    output.answer(&status, job, in_short(&status))?;
    if output.json || output.quiet {
        return Ok(());
    }
    let columns = usize::from(screen_columns()).min(MOST_COLUMNS);
    if let Some(slowest) = slowest(client, &status)? {
        output.hint(shortened(&slowest, columns));
    }
    if status.progress.counts.failed > 0 {
        output.hints(&kinds(client, job, columns)?);
    }
    Ok(())
}

fn kinds(client: &Client, job: JobId, columns: usize) -> Result<Vec<String>, CliError> {
    let kinds = client.failures(job)?;
    let mut lines = Vec::new();
    for kind in kinds.iter().take(MOST_KINDS) {
        lines.push(shortened(&format!("  {} failed: {}", kind.count, kind.text), columns));
        lines.push(match kind.id {
            Some(id) => format!("      job-manager retry {job} --cluster {id}    tries {} again", those(kind.count)),
            None => format!("      job-manager unit {job}:{}    shows one", kind.first),
        });
    }
    if let Some(more) = kinds.len().checked_sub(MOST_KINDS).filter(|more| *more > 0) {
        let kinds = counted(i64::try_from(more).unwrap_or(i64::MAX), "more kind");
        lines.push(format!("  {kinds} of failure: `job-manager failures {job}` lists all"));
    }
    lines.push(format!("  job-manager units {job} --failed    shows why each failed"));
    Ok(lines)
}

fn those(count: i64) -> &'static str {
    if count == 1 { "it" } else { "them" }
}

/// Names the units that took longest, of a job of several that took a while.
fn slowest(client: &Client, status: &ManagerStatus) -> Result<Option<String>, CliError> {
    let took = status.started_at.zip(status.completed_at).map(|(started, ended)| ended.since(started));
    if status.progress.counts.total < 2 || took.is_some_and(|took| took < QUICK) {
        return Ok(None);
    }
    let page = client.unit_page(status.job.id, &UnitFilter::all(), UnitOrder::Duration, None, SLOWEST, LOOK)?;
    let named: Vec<String> = page.found.units.iter().filter_map(named).collect();
    if named.is_empty() {
        return Ok(None);
    }
    let of = page.found.searched_through.map(|seq| format!(" of the first {seq}")).unwrap_or_default();
    Ok(Some(format!("  slowest{of}: {}", named.join(", "))))
}

fn named(unit: &UnitDetail) -> Option<String> {
    let took = unit.finished_at?.since(unit.started_at?);
    let item = serde_json::from_str::<String>(&unit.payload).unwrap_or_else(|_| unit.payload.clone());
    let item = if item == "null" { String::new() } else { format!(" ({})", shortened(&item, ITEM_WIDTH)) };
    (took >= QUICK).then(|| format!("unit {}{item} {}", unit.seq, span(took)))
}

/// Sums a job up in one line, and says where its failures are.
pub fn summary(status: &ManagerStatus) -> String {
    let mut text = in_short(status);
    if status.progress.counts.failed > 0 {
        text.push_str(&format!("\n  job-manager units {} --failed    shows why", status.job.id));
    }
    text
}

/// Sums a job up in one line.
fn in_short(status: &ManagerStatus) -> String {
    let counts = status.progress.counts;
    let Progress { total, completed, .. } = counts;
    let mut text = format!(
        "job {} ({}) {}: {completed} of {total} completed",
        status.job.id,
        one_line(&status.job.name),
        status.word()
    );
    let others = counts.by_state().into_iter().filter(|(state, count)| state.is_terminal() && *count > 0);
    for (state, count) in others.filter(|(state, _)| *state != UnitStatus::Completed) {
        text.push_str(&format!(", {count} {state}"));
    }
    if let (Some(started), Some(ended)) = (status.started_at, status.completed_at) {
        text.push_str(&format!(", in {}", span(ended.since(started))));
    }
    if let Some(error) = &status.error {
        text.push_str(&format!("\n  its manager failed: {}", one_line(error)));
    }
    text
}
