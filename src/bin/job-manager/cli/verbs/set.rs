//! `set`: change other limits of a job, also while it runs.

mod change;

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::Path;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use job_manager::model::{Job, Limits};
use job_manager::text::counted;
use serde_json::json;

use crate::cli::which::JobKeys;
use crate::cli::{CliError, Global, Output};
pub use change::LIMITS;
use change::{Change, HOLD, change, of_meter};

/// The limits of each group.
const OF_GROUPS: [&str; 3] = ["per-group", "group-rate", "group-failures"];
/// The limits of which several values unite.
const UNITED: [&str; 2] = ["diskfree", "window"];

/// Change limits of a job, also while it runs: rate, adapt, timeout, idle-timeout, memory, kill-after, lease, max-attempts, max-failures, max-later,
/// deadline, backoff, memfree, load, diskfree, window, not-before, after, hold, of groups per-group, group-rate, group-failures and
/// group:NAME, and of a meter budget.NAME, reserve.NAME, rate.NAME, meter.NAME
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager set photos rate=30/min timeout=2m max-failures=none")]
pub struct Set {
    /// Job: its number, uid or prefix of that, name, or `last`
    #[arg(value_name = "JOB")]
    pub job: OsString,
    #[command(flatten)]
    pub keys: JobKeys,
    /// Limits and their new values; `none` takes one away, several of diskfree and window unite
    #[arg(value_name = "KEY=VALUE", required_unless_present_any = ["job_key", "key"], value_parser = OsStringValueParser::new().try_map(|text| change(&text)))]
    pub changes: Vec<Change>,
}

/// Refuses two values for one limit, unless its values unite.
fn refuse_two_values(changes: &[Change]) -> Result<(), CliError> {
    let mut seen = HashSet::new();
    let mut single = changes.iter().map(|change| change.key.as_str()).filter(|key| !UNITED.contains(key));
    match single.find(|key| !seen.insert(*key)) {
        Some(key) => Err(CliError::GivenTwice(format!("the limit {key}"))),
        None => Ok(()),
    }
}

/// Refuses changes of a meter that the job does not have: one that is made by a slip of the pen counts nothing.
fn refuse_unknown_meter(changes: &[Change], job: &Job) -> Result<(), CliError> {
    let of_meters = changes.iter().filter_map(|change| Some((of_meter(&change.key)?, change.taken.is_some())));
    let (added, others): (Vec<_>, Vec<_>) = of_meters.partition(|((kind, _), is_taken)| *kind == "meter" && !is_taken);
    let known: Vec<&str> = job.limits.meters.iter().map(|meter| meter.name.as_str()).collect();
    let is_known = |name: &str| known.contains(&name) || added.iter().any(|((_, new), _)| *new == name);
    match others.into_iter().find(|((_, name), _)| !is_known(name)) {
        None => Ok(()),
        Some(((_, name), _)) => {
            let known = known.iter().map(|name| (*name).to_owned()).collect();
            Err(CliError::NoMeter { job: job.id, name: name.to_owned(), known })
        }
    }
}

/// Refuses to take a meter away together with a budget that nobody has named, or beside another bound that it would get.
fn refuse_lost_budget(changes: &[Change], job: &Job) -> Result<(), CliError> {
    for name in changes.iter().filter_map(|change| change.taken.as_ref()) {
        let others = changes.iter().filter(|change| change.taken.as_ref() != Some(name));
        let is_named = others.clone().any(|change| of_meter(&change.key).is_some_and(|(_, of)| of == name));
        let mut limits = job.limits.clone();
        others.for_each(|change| (change.apply)(&mut limits));
        let left = limits.meters.iter().find(|meter| meter.name == *name);
        if left.is_some_and(|meter| meter.budget.is_some() || (is_named && meter.is_bounded())) {
            return Err(CliError::MeterBounded { job: job.id, name: name.clone() });
        }
    }
    Ok(())
}

/// Makes the changes; those of a kind that unite replace what was there before. Paths are relative to `cwd`, that of the units.
fn apply_all(changes: &[Change], cwd: Option<&Path>, limits: &mut Limits) {
    let is_changed = |key| changes.iter().any(|change| change.key == key);
    let zone = limits.start.window.as_ref().map(|windows| windows.zone.clone());
    if is_changed("diskfree") {
        limits.start.diskfree.clear();
    }
    if is_changed("window") {
        limits.start.window = None;
    }
    // A meter is taken away at the end: a bound that is taken from it would make another one.
    let (last, first): (Vec<&Change>, Vec<_>) = changes.iter().partition(|change| change.taken.is_some());
    first.into_iter().chain(last).for_each(|change| (change.apply)(limits));
    if let (Some(windows), Some(zone)) = (&mut limits.start.window, zone) {
        // The clock is the one by which the job was created.
        windows.zone = zone;
    }
    if let Some(cwd) = cwd {
        limits.start.resolve(cwd);
    }
}

pub fn set(global: &Global, args: &Set, output: &mut Output) -> Result<(), CliError> {
    let client = global.open_client()?;
    let mut changes = args.changes.clone();
    let job = match args.keys.find(&client)? {
        // Beside a key the first word is a change.
        Some(job) => {
            changes.insert(0, change(&args.job).map_err(CliError::Value)?);
            job
        }
        None => {
            let not_text = || CliError::Value(format!("{:?} is not UTF-8, and every name of a job is", args.job));
            client.find_job(args.job.to_str().ok_or_else(not_text)?)?
        }
    };
    refuse_two_values(&changes)?;
    let row = client.job(job)?;
    refuse_unknown_meter(&changes, &row)?;
    refuse_lost_budget(&changes, &row)?;
    let is_of_groups = |change: &Change| change.group.is_some() || OF_GROUPS.contains(&change.key.as_str());
    if let Some(change) = changes.iter().find(|change| is_of_groups(change) && row.limits.groups.is_none()) {
        return Err(CliError::NoGroups { job, given: change.key.clone() });
    }
    let cwd = client.units_cwd(&row)?;
    let groups: Vec<_> = changes.iter().filter_map(|change| change.group.clone()).collect();
    if !groups.is_empty() && groups.len() < changes.len() {
        return Err(CliError::GroupsAlone);
    }
    if !groups.is_empty() {
        client.limit_groups(job, &groups)?;
    }
    let limits = client.set_limits(job, |limits| apply_all(&changes, cwd.as_deref(), limits))?;
    if changes.iter().any(|change| change.key == HOLD) {
        client.lift_hold(job)?;
    }
    let line = format!("{} changed", counted(changes.len(), "limit"));
    output.answer(&json!({ "schema": 1, "job": { "id": job }, "limits": limits }), job, line)
}
