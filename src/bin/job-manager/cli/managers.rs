//! The managers that a job has had, for `status -v`.

use job_manager::model::{ManagerRun, ManagerState};
use job_manager::text::local_time;

use super::text::one_line;
use super::{CliError, Output};

/// Prints a line for each manager: its number, process and host, from when until when, and how it ended.
pub(super) fn print(managers: &[ManagerRun], output: &mut Output) -> Result<(), CliError> {
    let titles = ["managers"].into_iter().chain(std::iter::repeat(""));
    for (run, title) in managers.iter().zip(titles) {
        output.field(title, Some(line_of(run)))?;
    }
    Ok(())
}

fn line_of(run: &ManagerRun) -> String {
    let span = match (run.started_at, run.ended_at) {
        (Some(from), Some(to)) => format!(", {} to {}", local_time(from), local_time(to)),
        (Some(from), None) => format!(", since {}", local_time(from)),
        (None, Some(to)) => format!(", until {}", local_time(to)),
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
