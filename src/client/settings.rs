//! How a job runs its commands, as its settings say.

use std::fmt::Display;

use super::{Client, ClientError};
use crate::handler::{COMMAND, CommandSpec, UnitTemplates};
use crate::model::{Job, JobId, Row, Unit, UnitDetail, Unreadable};
use crate::store::StoreError;

/// Characters of settings that are shown when they cannot be read.
const SHOWN_CHARS: usize = 120;

impl Client {
    /// Returns the settings of a job's handler, as JSON: those that it was created with.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// println!("{}", client.spec(client.find_job("last")?)?);
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn spec(&self, job: JobId) -> Result<String, ClientError> {
        Ok(self.store().spec(job)?)
    }

    /// Returns how a job runs its commands; `None` for a job of another handler.
    ///
    /// # Errors
    /// [`StoreError::Unreadable`] when its settings are not what this version reads.
    pub fn command_settings(&self, job: &Job) -> Result<Option<CommandSpec>, ClientError> {
        command_settings(job, || self.spec(job.id))
    }

    /// Returns the command of a unit as it would be typed into a shell; none for a job without commands.
    ///
    /// # Errors
    /// When the job's settings cannot be read.
    pub(super) fn command_of(&self, job: &Job, unit: &UnitDetail) -> Result<Option<String>, ClientError> {
        let Some(spec) = self.command_settings(job)? else { return Ok(None) };
        if let Some(then) = spec.then.as_ref().filter(|_| unit.key.as_deref().is_some_and(Unit::is_last_key)) {
            // It is of no item, and runs a script of its own.
            return Ok(Some(then.script.to_string_lossy().into_owned()));
        }
        let templates = match UnitTemplates::of(&spec) {
            Ok(templates) => templates,
            Err(error) => return Err(unreadable(job.id, &self.spec(job.id)?, error)),
        };
        // Of a payload that lacks what the command needs there is no command; the unit's error says so when it has run.
        let values = templates.values(&unit.payload);
        Ok(values.and_then(|values| templates.line(&values, unit.seq)).ok())
    }
}

/// Reads how a job runs its commands; `None` for a job of another handler, whose settings are not asked for.
pub(super) fn command_settings(
    job: &Job,
    spec: impl FnOnce() -> Result<String, ClientError>,
) -> Result<Option<CommandSpec>, ClientError> {
    if job.handler != COMMAND {
        return Ok(None);
    }
    let spec = spec()?;
    CommandSpec::of_json(&spec).map(Some).map_err(|reason| unreadable(job.id, &spec, reason))
}

/// Says that the settings of a job cannot be read.
fn unreadable(job: JobId, spec: &str, reason: impl Display) -> ClientError {
    let (value, reason) = (spec.chars().take(SHOWN_CHARS).collect(), reason.to_string());
    StoreError::Unreadable(Unreadable { row: Row::Job(job), column: "spec", value, reason }).into()
}
