//! The managers that a job has had, for `status -v`.

use job_manager::client::ManagerStatus;
use job_manager::model::{ManagerRun, ManagerState};
use job_manager::text::counted;
use serde::Serialize;

use super::text::one_line;
use super::{CliError, Output};

/// Hosts that are named in one line.
const MOST_HOSTS: usize = 8;

/// The document of `status --json -v`.
#[derive(Serialize)]
pub(super) struct WithManagers<'a> {
    #[serde(flatten)]
    pub status: &'a ManagerStatus,
    pub managers: &'a [ManagerRun],
}

/// Prints a line for each manager: its number, process and host, from when until when, and how it ended.
pub(super) fn print(managers: &[ManagerRun], output: &mut Output) -> Result<(), CliError> {
    let titles = ["managers"].into_iter().chain(std::iter::repeat(""));
    for (run, title) in managers.iter().zip(titles) {
        output.field(title, Some(line_of(run)))?;
    }
    Ok(())
}

/// Returns `true` if a job has more managers than the one of this host, or none here and others elsewhere.
pub(super) fn are_elsewhere(managers: &[ManagerRun]) -> bool {
    managers.iter().any(|run| run.load.as_ref().is_some_and(|load| !load.here))
}

/// Says on which hosts a job runs.
pub(super) fn by_host(managers: &[ManagerRun]) -> String {
    let named = |run: &ManagerRun| {
        let load = run.load.as_ref();
        let workers = load.and_then(|load| load.workers);
        let workers = workers.map(|workers| format!(", {}", counted(workers, "worker"))).unwrap_or_default();
        let silent = run.reason.as_ref().and(load).map(|load| format!(", silent for {} s", load.silent_s));
        format!("{} (process {}{workers}{})", one_line(&run.host), run.pid, silent.unwrap_or_default())
    };
    let shown: Vec<String> = managers.iter().take(MOST_HOSTS).map(named).collect();
    let more = managers.len().saturating_sub(MOST_HOSTS);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("running on {}: {}{more}", counted(managers.len(), "host"), shown.join(", "))
}

fn line_of(run: &ManagerRun) -> String {
    let span = match (run.started_at, run.ended_at) {
        (Some(from), Some(to)) => format!(", {from} to {to}"),
        (Some(from), None) => format!(", since {from}"),
        (None, Some(to)) => format!(", until {to}"),
        (None, None) => String::new(),
    };
    let end = match (run.state, &run.reason) {
        (ManagerState::Live, None) => String::new(),
        (ManagerState::Live, Some(reason)) => format!(", {}", one_line(reason)),
        (state, None) => format!(", {state}"),
        (state, Some(reason)) => format!(", {state}: {}", one_line(reason)),
    };
    format!("{}: process {} on {}{span}{end}", run.number, run.pid, one_line(&run.host))
}
