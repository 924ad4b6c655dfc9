//! By what attempts are judged, as far as that can be refused before there is any.

use super::SubmissionError;
use crate::client::{ClientError, LimitError};
use crate::handler::{CommandSpec, ResultMode, Schema, UnitTemplates};
use crate::model::Limits;

/// Compiles the templates of a command, and notes whether `{out}` is ours in them: without a path that units make it is a name of
/// the data.
pub(super) fn templates_of(spec: &mut CommandSpec) -> Result<UnitTemplates, SubmissionError> {
    spec.out = spec.creates.is_some();
    let templates = UnitTemplates::of(spec)?;
    spec.out &= templates.uses_out();
    Ok(templates)
}

/// Refuses what would be judged by something that there will not be.
pub(super) fn refuse_unjudgeable(spec: &CommandSpec, limits: &Limits) -> Result<(), SubmissionError> {
    if limits.idle_timeout.is_some() && !spec.is_heard() {
        return Err(ClientError::from(LimitError::IdleUnheard).into());
    }
    if spec.check.as_ref().is_some_and(|check| check.as_bytes().trim_ascii().is_empty()) {
        return Err(SubmissionError::BlankCheck);
    }
    match &spec.schema {
        Some(_) if spec.result != ResultMode::Json => Err(SubmissionError::SchemaWithoutJson),
        Some(schema) => Schema::parse(schema).map(drop).map_err(SubmissionError::Schema),
        None => Ok(()),
    }
}
