//! What a job is, as `status` shows it.

use std::collections::BTreeMap;
use std::time::Duration;

use job_manager::client::{AboutJob, ManagerStatus};
use job_manager::model::{Limits, ManagerRun};
use job_manager::text::{counted, local_time};
use serde::Serialize;

use super::text::{one_line, span};
use super::{CliError, Output};

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
    said.join(", ")
}
