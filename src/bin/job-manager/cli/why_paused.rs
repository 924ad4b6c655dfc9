//! Why a job that was waited for has paused by itself, and what to do then.

use job_manager::client::{Client, JobOutcome};
use job_manager::model::JobId;

use super::text::one_line;
use super::{CliError, Output};
use crate::command_line::command_line;

/// Says why a job has paused by itself, and what to do then; of one that somebody paused nothing more is to be said.
pub(super) fn hint_why_paused(
    client: &Client,
    job: JobId,
    outcome: JobOutcome,
    output: &mut Output,
) -> Result<(), CliError> {
    if outcome == JobOutcome::Paused {
        let answer = client.explain(job, None)?;
        if answer.waiting_for.is_some() {
            let next = command_line(&answer.next_step);
            output.hint(format_args!("  {}\n  try: {next}", one_line(&answer.sentence)));
        }
    }
    Ok(())
}
