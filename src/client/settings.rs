//! How a job runs its commands, as its settings say.

use serde::de::Error;

use super::ClientError;
use crate::handler::{COMMAND, CommandSpec, UnitTemplates};
use crate::model::{Job, UnitDetail};

/// Returns how a job runs its commands; `None` for a job of another handler.
///
/// # Errors
/// [`ClientError::SpecUnreadable`] when its settings are not what this version reads.
pub(super) fn command_settings(job: &Job) -> Result<Option<CommandSpec>, ClientError> {
    if job.handler != COMMAND {
        return Ok(None);
    }
    let unreadable = |source| ClientError::SpecUnreadable { job: job.id, source };
    serde_json::from_str(&job.spec).map(Some).map_err(unreadable)
}

/// Returns the command of a unit as it would be typed into a shell; none for a job without commands.
///
/// # Errors
/// When the job's settings cannot be read.
pub(super) fn command_of(job: &Job, unit: &UnitDetail) -> Result<Option<String>, ClientError> {
    let Some(spec) = command_settings(job)? else { return Ok(None) };
    let unreadable = |error| ClientError::SpecUnreadable { job: job.id, source: serde_json::Error::custom(error) };
    let templates = UnitTemplates::of(&spec).map_err(unreadable)?;
    // Of a payload that lacks what the command needs there is no command; the unit's error says so when it has run.
    let values = templates.values(&unit.payload);
    Ok(values.and_then(|values| templates.line(&values, unit.seq)).ok())
}
