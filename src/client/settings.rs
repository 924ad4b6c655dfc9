//! How a job runs its commands, as its settings say.

use super::ClientError;
use crate::handler::{COMMAND, CommandSpec};
use crate::model::Job;

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
