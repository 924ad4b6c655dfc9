//! What a job is, as `status` shows it.

use std::collections::BTreeMap;
use std::time::Duration;

use job_manager::client::{AboutJob, ManagerStatus};
use job_manager::model::{Limits, ManagerRun};
use job_manager::text::{counted, local_time};
use serde::Serialize;

use super::text::{one_line, span};
use super::{CliError, Output};
use crate::settings::{NONE, written_limits};

/// Limits that are said in words, or on a line of their own.
const SAID: [&str; 5] = ["rate", "max-attempts", "idle-timeout", "memory", "lease"];

/// The document of `status --json`.
#[derive(Serialize)]
pub(super) struct WithFacts<'a> {
    #[serde(flatten)]
    pub status: &'a ManagerStatus,
    pub about: &'a AboutJob,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managers: Option<&'a [ManagerRun]>,
}

pub(super) fn print(about: &AboutJob, labels: &BTreeMap<String, String>, output: &mut Output) -> Result<(), CliError> {
    output.field("command", about.command.as_deref().map(one_line))?;
    output.field("directory", about.directory.as_ref().map(|path| one_line(&path.to_string_lossy())))?;
    output.field("limits", Some(limits(&about.limits)))?;
    output.field("notify", about.notify.as_deref().map(one_line))?;
    output.field("hook", about.hook.as_ref().map(|path| one_line(&path.to_string_lossy())))?;
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    output.field("labels", Some(one_line(&labels.join(", "))).filter(|labels| !labels.is_empty()))?;
    output.field("key", about.key.as_deref().map(one_line))?;
    output.field("created", Some(local_time(about.created_at)))
}

/// Names the limits of a job: some in words, and the others that are set as `set` takes them.
fn limits(limits: &Limits) -> String {
    let mut said =
        vec![counted(limits.workers, "worker"), format!("up to {}", counted(limits.max_attempts, "attempt"))];
    said.extend(
        limits.timeout.filter(|timeout| *timeout > Duration::ZERO).map(|timeout| format!("timeout {}", span(timeout))),
    );
    said.extend(
        limits
            .rate
            .map(|rate| format!("{} in {}", counted(rate.units, "start"), span(Duration::from_millis(rate.per_ms)))),
    );
    let usual = written_limits(&Limits::default());
    let is_said = |name: &str| match name {
        "timeout" => limits.timeout_from.is_none(),
        _ => SAID.contains(&name) || name.starts_with("budget.") || name.starts_with("meter."),
    };
    let is_set = |name: &String, value: &String| value != NONE && usual.get(name) != Some(value);
    let others = written_limits(limits).into_iter().filter(|(name, value)| is_set(name, value) && !is_said(name));
    said.extend(others.map(|(name, value)| one_line(&format!("{name}={value}"))));
    said.extend(limits.canary.map(|units| format!("canary={units}")));
    said.join(", ")
}
