//! How a job runs its commands, as its settings say.

use std::fmt::Display;

use super::ClientError;
use crate::handler::{COMMAND, CommandSpec, UnitTemplates};
use crate::model::{Job, Row, UnitDetail, Unreadable};
use crate::store::StoreError;

/// Characters of settings that are shown when they cannot be read.
const SHOWN_CHARS: usize = 120;

/// Returns how a job runs its commands; `None` for a job of another handler.
///
/// # Errors
/// [`StoreError::Unreadable`] when its settings are not what this version reads.
pub fn command_settings(job: &Job) -> Result<Option<CommandSpec>, ClientError> {
    if job.handler != COMMAND {
        return Ok(None);
    }
    CommandSpec::of_json(&job.spec).map(Some).map_err(|reason| unreadable(job, reason))
}

/// Says that the settings of a job cannot be read.
pub(super) fn unreadable(job: &Job, reason: impl Display) -> ClientError {
    let (value, reason) = (job.spec.chars().take(SHOWN_CHARS).collect(), reason.to_string());
    StoreError::Unreadable(Unreadable { row: Row::Job(job.id), column: "spec", value, reason }).into()
}

/// Returns the command of a unit as it would be typed into a shell; none for a job without commands.
///
/// # Errors
/// When the job's settings cannot be read.
pub(super) fn command_of(job: &Job, unit: &UnitDetail) -> Result<Option<String>, ClientError> {
    let Some(spec) = command_settings(job)? else { return Ok(None) };
    let templates = UnitTemplates::of(&spec).map_err(|error| unreadable(job, error))?;
    // Of a payload that lacks what the command needs there is no command; the unit's error says so when it has run.
    let values = templates.values(&unit.payload);
    Ok(values.and_then(|values| templates.line(&values, unit.seq)).ok())
}
