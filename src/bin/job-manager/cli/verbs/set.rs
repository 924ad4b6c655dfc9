//! `set`: change other limits of a job, also while it runs.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use job_manager::client::{budget, windows};
use job_manager::model::{Budget, DiskFree, Job, Limits, Meter, TimeLimit, Timeout};
use job_manager::text::counted;
use serde_json::json;

use crate::cli::policy_args::adapt;
use crate::cli::which::JobKeys;
use crate::cli::{CliError, Global, Output, group_args, meter_args, policy_values, values};

/// The limits of each group.
const OF_GROUPS: [&str; 3] = ["per-group", "group-rate", "group-failures"];
/// What takes a limit away.
const NONE: &str = "none";
/// What a unit asked for, and is not a limit of the job.
const HOLD: &str = "hold";
/// The limits of which several values unite.
const UNITED: [&str; 2] = ["diskfree", "window"];

/// Change limits of a job, also while it runs: rate, adapt, timeout, idle-timeout, kill-after, lease, max-attempts, max-failures, max-later,
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

/// Begins the limit of one group.
const GROUP: &str = "group:";

/// What a change does to the limits of a job.
type Apply = Arc<dyn Fn(&mut Limits) + Send + Sync>;

/// A change that was read.
#[derive(Clone)]
pub struct Change {
    key: String,
    apply: Apply,
    /// A group, and its own limit.
    group: Option<(String, Option<usize>)>,
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)
    }
}

/// Reads `KEY=VALUE` with the same words as the flags of `submit`; a path may have any bytes.
fn change(text: &OsStr) -> Result<Change, String> {
    if let Some(value) = text.as_bytes().strip_prefix(b"diskfree=").filter(|value| *value != NONE.as_bytes()) {
        let disk = DiskFree::of_os(OsStr::from_bytes(value)).map_err(|error| error.to_string())?;
        let apply: Apply = Arc::new(move |limits| limits.start.diskfree.push(disk.clone()));
        return Ok(Change { key: "diskfree".to_owned(), apply, group: None });
    }
    let text = text.to_str().ok_or_else(|| format!("{text:?} is not UTF-8, only the path of diskfree may be so"))?;
    let (key, value) =
        text.split_once('=').ok_or_else(|| format!("invalid change {text:?}, expected e.g. rate=60/min"))?;
    let apply: Apply = match key {
        "rate" => {
            let rate = optional(value, values::spelled)?;
            Arc::new(move |limits| limits.rate = rate)
        }
        "timeout" => match values::spelled(value)? {
            Timeout::From(_) => return Err("a template is given when the job is created".to_owned()),
            timeout => Arc::new(move |limits| limits.set_timeout(timeout.clone())),
        },
        "idle-timeout" => {
            let TimeLimit(idle) = values::spelled(value)?;
            Arc::new(move |limits| limits.idle_timeout = idle)
        }
        "kill-after" => {
            let kill_after = values::kill_after(value)?;
            Arc::new(move |limits| limits.kill_after = kill_after)
        }
        "lease" => {
            let lease = optional(value, values::duration)?;
            Arc::new(move |limits| limits.lease = lease)
        }
        "max-attempts" => {
            let most = values::at_least_one(value).map_err(|why| format!("max-attempts={value}: {why}"))?;
            Arc::new(move |limits| limits.max_attempts = most)
        }
        "max-failures" => {
            let most = optional(value, policy_values::max_failures)?;
            Arc::new(move |limits| limits.max_failures = most)
        }
        "per-group" | "group-rate" | "group-failures" => group_change(key, value)?,
        // Each group has a row of its own.
        other if other.starts_with(GROUP) => {
            let group = other[GROUP.len()..].to_owned();
            let most = optional(value, group_args::most).map_err(|why| format!("{other}={value}: {why}"))?;
            return Ok(Change { key: other.to_owned(), apply: Arc::new(|_| {}), group: Some((group, most)) });
        }
        "adapt" => {
            let least = optional(value, adapt).map_err(|why| format!("adapt={value}: {why}"))?;
            Arc::new(move |limits| limits.adapt = least)
        }
        "max-later" => {
            let most = optional(value, values::duration)?;
            Arc::new(move |limits| limits.max_later = most)
        }
        "deadline" => {
            let TimeLimit(deadline) = values::spelled(value)?;
            Arc::new(move |limits| limits.deadline = deadline)
        }
        "memfree" => {
            let memfree = optional(value, values::spelled)?;
            Arc::new(move |limits| limits.start.memfree = memfree)
        }
        "load" => {
            let load = optional(value, values::spelled)?;
            Arc::new(move |limits| limits.start.load = load)
        }
        // Any other value was read above.
        "diskfree" => Arc::new(|_| {}),
        "window" => {
            let given = optional(value, |text| {
                let spans = text.split(',').map(values::spelled).collect::<Result<_, _>>()?;
                windows(spans).map_err(|error| error.to_string())
            })?;
            Arc::new(move |limits| match (&mut limits.start.window, &given) {
                (Some(windows), Some(more)) => windows.spans.extend(&more.spans),
                (windows, more) => *windows = more.clone().or(windows.take()),
            })
        }
        "not-before" => {
            let time = optional(value, values::start_time)?;
            Arc::new(move |limits| limits.start.not_before = time)
        }
        // No limit of ours: it is lifted when the others have changed.
        HOLD if value == NONE => Arc::new(|_| {}),
        HOLD => return Err("a hold, which a unit asks for, can only be taken away: hold=none".to_owned()),
        "after" if value == NONE => Arc::new(|limits| limits.after = None),
        "after" => return Err("after can only be taken away: after=none".to_owned()),
        "backoff" => {
            let bounds = values::backoff(value)?;
            Arc::new(move |limits| (limits.backoff_base, limits.backoff_cap) = bounds)
        }
        other if of_meter(other).is_some() => {
            let (kind, name) = of_meter(other).expect("it was looked at just now");
            meter_change(kind, name, value)?
        }
        other => return Err(format!("no limit {other:?} can be changed (for workers there is `scale`)")),
    };
    Ok(Change { key: key.to_owned(), apply, group: None })
}

/// Splits `budget.usd` into what is changed of which meter.
fn of_meter(key: &str) -> Option<(&str, &str)> {
    key.split_once('.').filter(|(kind, _)| ["budget", "reserve", "rate", "meter"].contains(kind))
}

/// Reads what becomes of a meter.
fn meter_change(kind: &str, name: &str, value: &str) -> Result<Apply, String> {
    let name = meter_args::meter_name(name)?;
    Ok(match kind {
        "budget" => {
            let given = optional(value, |text| budget(text).map_err(meter_args::said))?;
            Arc::new(move |limits| {
                let place = &mut limits.meter(&name).budget;
                let zone = place.as_ref().and_then(|before| before.day_zone.clone());
                // The days are those by which the job was created.
                *place =
                    given.clone().map(|new| Budget { day_zone: new.day_zone.map(|own| zone.unwrap_or(own)), ..new });
            })
        }
        "reserve" => {
            let given = optional(value, meter_args::amount)?;
            Arc::new(move |limits| limits.meter(&name).reserve = given)
        }
        "rate" => {
            let given = optional(value, |text| text.parse().map_err(meter_args::said))?;
            Arc::new(move |limits| limits.meter(&name).rate = given)
        }
        _ if value == NONE => Arc::new(move |limits| limits.meters.retain(|meter| meter.name != name)),
        _ => {
            let given: Meter = values::spelled(&format!("{name}={value}"))?;
            Arc::new(move |limits| {
                let meter = limits.meter(&name);
                (meter.path, meter.may_lack) = (given.path.clone(), given.may_lack);
            })
        }
    })
}

/// Reads what becomes of the bounds of each group.
fn group_change(key: &str, value: &str) -> Result<Apply, String> {
    Ok(match key {
        "per-group" => {
            let most = optional(value, group_args::most).map_err(|why| format!("per-group={value}: {why}"))?;
            Arc::new(move |limits| limits.groups.iter_mut().for_each(|groups| groups.most = most))
        }
        "group-rate" => {
            let rate = optional(value, values::spelled)?;
            Arc::new(move |limits| limits.groups.iter_mut().for_each(|groups| groups.rate = rate))
        }
        _ => {
            let most =
                optional(value, group_args::group_failures).map_err(|why| format!("group-failures={value}: {why}"))?;
            Arc::new(move |limits| limits.groups.iter_mut().for_each(|groups| groups.max_failures = most))
        }
    })
}

fn optional<T>(value: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Result<Option<T>, String> {
    if value == NONE { Ok(None) } else { read(value).map(Some) }
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
    let (added, others): (Vec<_>, Vec<_>) =
        changes.iter().filter_map(|change| of_meter(&change.key)).partition(|(kind, _)| *kind == "meter");
    let known: Vec<&str> = job.limits.meters.iter().map(|meter| meter.name.as_str()).collect();
    let is_known = |name: &str| known.contains(&name) || added.iter().any(|(_, new)| *new == name);
    match others.into_iter().find(|(_, name)| !is_known(name)) {
        None => Ok(()),
        Some((_, name)) => {
            let known = known.iter().map(|name| (*name).to_owned()).collect();
            Err(CliError::NoMeter { job: job.id, name: name.to_owned(), known })
        }
    }
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
    changes.iter().for_each(|change| (change.apply)(limits));
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
    let is_of_groups = |change: &Change| change.group.is_some() || OF_GROUPS.contains(&change.key.as_str());
    if let Some(change) = changes.iter().find(|change| is_of_groups(change) && row.limits.groups.is_none()) {
        return Err(CliError::NoGroups { job, given: change.key.clone() });
    }
    let cwd = client.units_cwd(&row)?;
    // First: a group that is not there keeps all the others from being changed.
    for (group, most) in changes.iter().filter_map(|change| change.group.as_ref()) {
        client.limit_group(job, group, *most)?;
    }
    let limits = client.set_limits(job, |limits| apply_all(&changes, cwd.as_deref(), limits))?;
    if changes.iter().any(|change| change.key == HOLD) {
        client.lift_hold(job)?;
    }
    let line = format!("{} changed", counted(changes.len(), "limit"));
    output.answer(&json!({ "schema": 1, "job": { "id": job }, "limits": limits }), job, line)
}
