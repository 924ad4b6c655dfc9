//! The key of a unit, which a template makes of its item.

use std::ffi::OsStr;

use super::SubmissionError;
use crate::handler::template::quote_for_shell;
use crate::handler::{Template, UnitValues, explained};
use crate::model::{Seq, Unit};

/// Longest key of a unit, in bytes: it is in an index, and in the environment of the unit.
const MAX_KEY_BYTES: usize = 4096;

/// Returns the key of a unit as its column holds it.
pub(super) fn unit_key_of(
    template: &Template,
    values: &UnitValues<'_>,
    place: &str,
) -> Result<String, SubmissionError> {
    let rendered = template.render(values, 0, Seq::FIRST).map_err(|error| {
        let corrected = || format!("--unit-key {}", quote_for_shell(template.corrected(Some(values)).as_bytes()));
        let source = explained(error, values, std::iter::once(template), corrected);
        SubmissionError::Item { place: place.to_owned(), source }
    })?;
    let (bytes, key) = (rendered.as_bytes().len(), rendered.to_column());
    let place = || place.to_owned();
    match bytes {
        0 => Err(SubmissionError::KeyEmpty { place: place() }),
        1..=MAX_KEY_BYTES if key.starts_with(Unit::RESERVED_KEYS) => {
            Err(SubmissionError::KeyReserved { place: place() })
        }
        1..=MAX_KEY_BYTES => Ok(key),
        bytes => Err(SubmissionError::KeyTooLong { place: place(), bytes, limit: MAX_KEY_BYTES }),
    }
}

/// Compiles the template of a unit's key, which is made before the unit has a number.
pub(super) fn key_template(text: &OsStr) -> Result<Template, SubmissionError> {
    let template = Template::parse(&text.into())?;
    match template.counter() {
        Some(placeholder) => Err(SubmissionError::KeyCounts { placeholder: placeholder.to_owned() }),
        None => Ok(template),
    }
}
