//! `set`: change other limits of a job, also while it runs.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser};
use job_manager::client::windows;
use job_manager::model::{DiskFree, Limits, TimeLimit, Timeout};
use job_manager::text::{SpellingError, counted};
use serde_json::json;

use crate::cli::args::Global;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::which::JobKeys;
use crate::cli::{policy_values, values};

/// What takes a limit away.
const NONE: &str = "none";

/// Change limits of a job, also while it runs: rate, timeout, kill-after, max-attempts, max-failures, deadline, backoff,
/// memfree, load, diskfree, window, not-before, after
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

/// A change that was read: the limit by its name, and limits in which it has its new value.
#[derive(Debug, Clone)]
pub struct Change {
    key: String,
    limits: Limits,
    field: Field,
}

/// A limit that can be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Rate,
    Timeout,
    KillAfter,
    MaxAttempts,
    MaxFailures,
    Deadline,
    Backoff,
    After,
    Memfree,
    Load,
    Diskfree,
    Window,
    NotBefore,
}

/// Reads `KEY=VALUE` with the same words as the flags of `submit`; a path may have any bytes.
fn change(text: &OsStr) -> Result<Change, String> {
    let mut limits = Limits::default();
    if let Some(value) = text.as_bytes().strip_prefix(b"diskfree=").filter(|value| *value != NONE.as_bytes()) {
        let disk = DiskFree::of_os(OsStr::from_bytes(value)).map_err(|error| error.to_string())?;
        limits.start.diskfree.push(disk);
        return Ok(Change { key: "diskfree".to_owned(), limits, field: Field::Diskfree });
    }
    let text = text.to_str().ok_or_else(|| format!("{text:?} is not UTF-8, only the path of diskfree may be so"))?;
    let (key, value) =
        text.split_once('=').ok_or_else(|| format!("invalid change {text:?}, expected e.g. rate=60/min"))?;
    let field = match key {
        "rate" => {
            limits.rate = optional(value, policy_values::rate)?;
            Field::Rate
        }
        "timeout" => {
            match values::spelled(value)? {
                Timeout::From(_) => return Err("a template is given when the job is created".to_owned()),
                timeout => limits.set_timeout(timeout),
            }
            Field::Timeout
        }
        "kill-after" => {
            limits.kill_after = values::kill_after(value)?;
            Field::KillAfter
        }
        "max-attempts" => {
            limits.max_attempts = values::at_least_one(value).map_err(|why| format!("max-attempts={value}: {why}"))?;
            Field::MaxAttempts
        }
        "max-failures" => {
            limits.max_failures = optional(value, policy_values::max_failures)?;
            Field::MaxFailures
        }
        "deadline" => {
            limits.deadline = time_limit(value)?;
            Field::Deadline
        }
        "memfree" => {
            limits.start.memfree = optional(value, values::spelled)?;
            Field::Memfree
        }
        "load" => {
            limits.start.load = optional(value, values::spelled)?;
            Field::Load
        }
        // Any other value was read above.
        "diskfree" => Field::Diskfree,
        "window" => {
            limits.start.window = optional(value, |text| {
                let spans = text.split(',').map(values::spelled).collect::<Result<_, _>>()?;
                windows(spans).map_err(|error| error.to_string())
            })?;
            Field::Window
        }
        "not-before" => {
            limits.start.not_before = optional(value, values::start_time)?;
            Field::NotBefore
        }
        "after" => {
            if value != NONE {
                return Err("after can only be taken away: after=none".to_owned());
            }
            Field::After
        }
        "backoff" => {
            (limits.backoff_base, limits.backoff_cap) = values::backoff(value)?;
            Field::Backoff
        }
        other => return Err(format!("no limit {other:?} can be changed (for workers there is `scale`)")),
    };
    Ok(Change { key: key.to_owned(), limits, field })
}

fn optional<T>(value: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Result<Option<T>, String> {
    if value == NONE { Ok(None) } else { read(value).map(Some) }
}

fn time_limit(value: &str) -> Result<Option<Duration>, String> {
    value.parse().map(|TimeLimit(limit)| limit).map_err(|error: SpellingError| error.to_string())
}

impl Change {
    fn apply(&self, limits: &mut Limits) {
        let Self { limits: new, field, .. } = self;
        match field {
            Field::Rate => limits.rate = new.rate,
            Field::Timeout => (limits.timeout, limits.timeout_from) = (new.timeout, None),
            Field::Memfree => limits.start.memfree = new.start.memfree,
            Field::Load => limits.start.load = new.start.load,
            Field::Diskfree => limits.start.diskfree.extend(new.start.diskfree.iter().cloned()),
            Field::Window => match (&mut limits.start.window, &new.start.window) {
                (Some(windows), Some(more)) => windows.spans.extend(&more.spans),
                (windows, more) => *windows = more.clone().or(windows.take()),
            },
            Field::NotBefore => limits.start.not_before = new.start.not_before,
            Field::KillAfter => limits.kill_after = new.kill_after,
            Field::MaxAttempts => limits.max_attempts = new.max_attempts,
            Field::MaxFailures => limits.max_failures = new.max_failures,
            Field::Deadline => limits.deadline = new.deadline,
            Field::After => limits.after = new.after,
            Field::Backoff => (limits.backoff_base, limits.backoff_cap) = (new.backoff_base, new.backoff_cap),
        }
    }
}

/// Refuses two values for one limit, unless its values unite.
fn refuse_two_values(changes: &[Change]) -> Result<(), CliError> {
    let mut seen = Vec::new();
    for Change { key, field, .. } in
        changes.iter().filter(|change| !matches!(change.field, Field::Diskfree | Field::Window))
    {
        if seen.contains(field) {
            return Err(CliError::GivenTwice(format!("the limit {key}")));
        }
        seen.push(*field);
    }
    Ok(())
}

/// Makes the changes; those of a kind that unite replace what was there before. Paths are relative to `cwd`, that of the units.
fn apply_all(changes: &[Change], cwd: Option<&Path>, limits: &mut Limits) {
    let is_changed = |wanted: fn(&Field) -> bool| changes.iter().any(|change| wanted(&change.field));
    let zone = limits.start.window.as_ref().map(|windows| windows.zone.clone());
    if is_changed(|field| matches!(field, Field::Diskfree)) {
        limits.start.diskfree.clear();
    }
    if is_changed(|field| matches!(field, Field::Window)) {
        limits.start.window = None;
    }
    changes.iter().for_each(|change| change.apply(limits));
    if let (Some(windows), Some(zone)) = (&mut limits.start.window, zone) {
        // The clock is the one by which the job was created.
        windows.zone = zone;
    }
    if let Some(cwd) = cwd {
        limits.start.resolve(cwd);
    }
}

pub fn set(global: &Global, args: &Set, output: &mut Output) -> Result<Exit, CliError> {
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
    let cwd = client.units_cwd(&client.job(job)?)?;
    let limits = client.set_limits(job, |limits| apply_all(&changes, cwd.as_deref(), limits))?;
    if output.json {
        output.document(&json!({ "schema": 1, "job": { "id": job }, "limits": limits }))?;
    } else if output.quiet {
        output.line(job)?;
    } else {
        output.line(format_args!("{} changed", counted(changes.len(), "limit")))?;
    }
    Ok(Exit::Success)
}
