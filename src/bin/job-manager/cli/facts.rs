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
    let words = about.command.iter().map(|word| word.to_string_lossy());
    let command = match about.shell {
        true => words.collect::<Vec<_>>().join(" "),
        false => words.map(|word| typed(&word)).collect::<Vec<_>>().join(" "),
    };
    output.field("command", Some(one_line(&command)).filter(|command| !command.is_empty()))?;
    output.field("directory", about.directory.as_ref().map(|path| one_line(&path.to_string_lossy())))?;
    output.field("limits", Some(limits(&about.limits)))?;
    output.field("hook", about.hook.as_ref().map(|path| one_line(&path.to_string_lossy())))?;
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    output.field("labels", Some(one_line(&labels.join(", "))).filter(|labels| !labels.is_empty()))?;
    output.field("key", about.key.as_deref().map(one_line))?;
    output.field("created", Some(local_time(about.created_at)))
}

/// Returns a word of a command as it would be typed into a shell.
fn typed(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-./:=,+@%{}#".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        assert_eq!(["a.b", "{}", "a b", "it's", ""].map(typed), ["a.b", "{}", "'a b'", "'it'\\''s'", "''"]);
    }
}
