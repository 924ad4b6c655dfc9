//! `status`: where jobs stand and whether their managers live.

use clap::Args;
use job_manager::client::{AtTheEnd, Client, Health, MeterStatus, Snapshot};
use job_manager::explain::NextStep;
use job_manager::model::{
    AdaptedGroup, GroupsStatus, HeldGroup, JobId, ManagerRun, ManagerState, Timestamp, WaitingGroup,
};
use job_manager::text::{counted, local_time};
use serde_json::json;

use crate::cli::facts::{self, WithFacts};
use crate::cli::managers;
use crate::cli::pace::left_of;
use crate::cli::text::{of_column, one_line, span, style_of};
use crate::cli::which::JobsArg;
use crate::cli::{CliError, Exit, Global, Output, resources};
use crate::command_line::command_line;

/// Show where jobs stand and whether their managers live
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager status photos --json")]
pub struct Status {
    #[command(flatten)]
    pub jobs: JobsArg,
    /// Exit with 10, 11, 12 or 13 when the job failed, was cancelled, is paused, or lost its manager; of several jobs the worst counts
    #[arg(long)]
    pub exit_code: bool,
}

pub fn status(global: &Global, args: &Status, output: &mut Output) -> Result<Exit, CliError> {
    let found = global.read_client().and_then(|client| {
        let jobs = args.jobs.find(&client)?;
        Ok((client, jobs))
    });
    let (client, jobs) = match found {
        Ok(found) => found,
        Err(error) => {
            if output.json && error.exit() == Exit::NotFound {
                output.document(&json!({ "schema": 1, "status": "not_found" }))?;
            }
            return Err(error);
        }
    };
    let mut exits = Vec::new();
    for (at, job) in jobs.into_iter().enumerate() {
        if at > 0 && !output.json && !output.quiet {
            output.line("")?;
        }
        let seen = show(&client, job, global.verbose, output)?;
        exits.extend(seen.outcome().map(Exit::from));
    }
    Ok(if args.exit_code { Exit::worst(exits) } else { Exit::Success })
}

/// Shows one job, and returns what was seen of it.
fn show(client: &Client, job: JobId, verbose: bool, output: &mut Output) -> Result<Snapshot, CliError> {
    let seen = client.snapshot(job)?;
    let managers = if verbose { client.managers(job)? } else { Vec::new() };
    if output.json {
        let (mut status, about) = (seen.status(), client.about(&seen.job));
        if verbose {
            status.managers.clear();
            status.former_managers.clear();
        }
        output.document(&WithFacts { status: &status, about: &about, managers: verbose.then_some(&managers) })?;
    } else if output.quiet {
        output.line(seen.word())?;
    } else {
        print(client, &seen, &managers, output)?;
    }
    Ok(seen)
}

/// Says what a meter has counted, such as `12.40 of 50 usd, about 41 at the end (38–45)`.
fn spent(meter: &MeterStatus) -> String {
    let name = &meter.name;
    let mut text = match (meter.budget, meter.today) {
        (Some(budget), Some(today)) => format!("{today} of {budget} {name} today, {} in all", meter.spent),
        (Some(budget), None) => format!("{} of {budget} {name}", meter.spent),
        (None, _) => format!("{} {name}", meter.spent),
    };
    if let Some(AtTheEnd { low, expected, high, .. }) = meter.at_the_end {
        text.push_str(&format!(", about {} at the end ({}–{})", expected.about(), low.about(), high.about()));
    }
    if meter.unmetered > 0 {
        text.push_str(&format!(
            ", {} of unknown cost",
            counted(i64::try_from(meter.unmetered).unwrap_or(i64::MAX), "attempt")
        ));
    }
    text
}

/// Groups whose waiting units are told.
const WAITING_NAMED: usize = 8;

/// Says where groups stand, such as `40 groups, 3 with running units, 1 at its limit (a.example), 1 held: b.example: 20 units failed`.
fn shown_groups(groups: &GroupsStatus) -> String {
    let mut text = format!("{}, {} with running units", counted(groups.total, "group"), groups.running);
    if groups.at_limit > 0 {
        let named: Vec<String> = groups.at_limit_first.iter().map(|name| of_column(name)).collect();
        text.push_str(&format!(
            ", {} at the limit ({}{})",
            groups.at_limit,
            named.join(", "),
            more(groups.at_limit - groups.at_limit_first.len())
        ));
    }
    if groups.adapted > 0 {
        let of = |group: &AdaptedGroup| format!("{} {} at a time", of_column(&group.name), group.workers);
        let named: Vec<String> = groups.adapted_first.iter().map(of).collect();
        let more = more(groups.adapted - named.len());
        text.push_str(&format!(", {} adapted ({}{more})", groups.adapted, named.join(", ")));
    }
    let held = groups.held.len() + groups.held_more;
    if held > 0 {
        let of = |group: &HeldGroup| {
            let until = group.until.map(|until| format!(" until {}", local_time(until))).unwrap_or_default();
            format!("{}{until}: {}", of_column(&group.name), one_line(&group.reason))
        };
        let named: Vec<String> = groups.held.iter().map(of).collect();
        text.push_str(&format!(", {held} held: {}{}", named.join("; "), more(groups.held_more)));
    }
    text
}

/// Says how many units wait in which groups, such as `a.example 200 or more, b.example 7`.
fn shown_waiting(groups: &[WaitingGroup]) -> Option<String> {
    let of = |group: &WaitingGroup| {
        format!("{} {}{}", of_column(&group.name), group.waiting, if group.is_more { " or more" } else { "" })
    };
    let named: Vec<String> = groups.iter().take(WAITING_NAMED).map(of).collect();
    let rest = more(groups.len().saturating_sub(WAITING_NAMED));
    Some(named.join(", ") + &rest).filter(|text| !text.is_empty())
}

fn more(count: usize) -> String {
    if count > 0 { format!(" and {count} more") } else { String::new() }
}

fn print(client: &Client, seen: &Snapshot, managers: &[ManagerRun], output: &mut Output) -> Result<(), CliError> {
    let status = &seen.status();
    let style = style_of(status.job_status, status.is_interrupted());
    output.line(format_args!("job       {} ({})", status.job.id, one_line(&status.job.name)))?;
    output.own_line(format_args!("status    {style}{}{style:#}", status.word()))?;
    let manager = match (status.status, status.pid, status.hosts()) {
        (Health::Running, _, Some(hosts)) => hosts,
        (Health::Running, Some(pid), None) => {
            let workers = status.adapted.map(|adapted| adapted.to_string());
            format!("running, process {pid}, {}", workers.unwrap_or_else(|| counted(status.workers, "worker")))
        }
        (Health::Running, None, None) => "running".to_owned(),
        (Health::NotStarted, ..) => "not started".to_owned(),
        (Health::Stopped, ..) => "stopped".to_owned(),
        (Health::Unknown, ..) => "unknown".to_owned(),
    };
    output.line(format_args!("manager   {manager}"))?;
    let counts = status.progress.counts;
    output.line(format_args!(
        "units     {} % of {}: {}",
        status.progress.percentage,
        counts.total,
        counts.by_state().map(|(state, count)| format!("{count} {state}")).join(", ")
    ))?;
    if let Some(rate) = status.rate_per_second {
        let left = status.eta_seconds.map_or_else(String::new, |eta| format!(", {} left", left_of(eta)));
        output.line(format_args!("rate      {rate:.1} units per second{left}"))?;
    }
    output.field("retries", status.retrying.as_ref().map(|retrying| one_line(&retrying.to_string())))?;
    for meter in &status.meters {
        output.line(format_args!("spent     {}", spent(meter)))?;
    }
    if let Some(groups) = &status.groups {
        output.line(format_args!("groups    {}", shown_groups(groups)))?;
        output.field("waiting", shown_waiting(&client.waiting_by_group(status.job.id)?))?;
    }
    if let Some(projection) = &status.projection {
        output.line(format_args!("pilot     {}", projection.ended_well()))?;
        for (count, text) in &projection.failures {
            output.line(format_args!("failed    {count}: {}", one_line(text)))?;
        }
        output.field("rest", projection.rest())?;
    }
    if let Some(started) = status.started_at {
        let until = status.completed_at.unwrap_or_else(Timestamp::now);
        output.line(format_args!("started   {} ({})", local_time(started), span(until.since(started))))?;
    }
    facts::print(&client.about(&seen.job), &status.labels, output)?;
    output.field("callback", status.callback_error.as_deref().map(one_line))?;
    output.field("lease", status.lease_seconds.map(|lease| span(std::time::Duration::from_secs_f64(lease))))?;
    let idle = status.idle_timeout_seconds.map(|idle| span(std::time::Duration::from_secs_f64(idle)));
    output.field("idle", idle.map(|idle| format!("a unit is ended after {idle} without a sign of life")))?;
    output.field("memory", status.memory.map(|memory| format!("an attempt may have {memory}")))?;
    output.field("workers", status.adapted.filter(|_| status.hosts().is_some()))?;
    output.field("took", status.resources.as_ref().map(resources::of_job))?;
    output.field("copy of", status.copied_from.as_ref().map(|uid| format!("job {uid}")))?;
    output.field("waits", status.waiting_for.as_deref().map(one_line))?;
    for run in status.former_managers.iter().filter(|run| run.state == ManagerState::Refused) {
        let reason = run.reason.as_deref().unwrap_or("it did not say why");
        output.field("refused", Some(format_args!("by host {}: {}", one_line(&run.host), one_line(reason))))?;
    }
    output.field("error", status.error.as_deref().map(one_line))?;
    managers::print(managers, output)?;
    output.line(format_args!("log       {}", status.log.display()))?;
    if status.is_interrupted() {
        output.hint(match seen.explanation().next_step {
            next @ NextStep::Cancel(_) => {
                format!("its manager died before it could cancel the job; `{}` ends it", command_line(&next))
            }
            next => format!("its manager has died; `{}` continues it", command_line(&next)),
        });
    }
    Ok(())
}
