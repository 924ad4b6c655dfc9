//! Paths of which each unit has its own, looked at before anything is created.

use std::path::Path;

use super::error::SubmissionError;
use crate::handler::UnitTemplates;
use crate::model::{NewUnit, Seq};

/// Says whether nobody waits for a submission any more.
pub(super) type IsGivenUp = Box<dyn Fn() -> bool>;

/// Says whether a path may be used.
pub(super) type IsWithin = Box<dyn Fn(&Path) -> bool>;

/// Refuses a unit with a path that may not be used.
pub(super) fn refuse_outside(
    is_within: Option<&IsWithin>,
    templates: &UnitTemplates,
    unit: &NewUnit,
) -> Result<(), SubmissionError> {
    let Some(is_within) = is_within else { return Ok(()) };
    let values = templates.values(&unit.payload)?;
    let cwd = templates.cwd(&values, 0, Seq::FIRST)?;
    match [Some(cwd), templates.creates(&values, 0, Seq::FIRST)?].into_iter().flatten().find(|path| !is_within(path)) {
        Some(path) => Err(SubmissionError::PathOutside(path)),
        None => Ok(()),
    }
}
