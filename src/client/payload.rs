//! What a unit must be before it enters a job, whichever way it comes.

use serde::de::IgnoredAny;
use serde_json::Value;

use crate::handler::{Grouping, UnitLimitError, check_unit};
use crate::model::{Limits, NewUnit};

/// A unit that nobody could run as it is.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnitRefused {
    /// Its payload is no document.
    #[error("the payload {beginning:?} is no JSON document, make it with NewUnit::new")]
    NoJson {
        /// Its first characters.
        beginning: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// It does not give the limits that it should have of its own.
    #[error(transparent)]
    Limit(#[from] UnitLimitError),
}

/// Most characters that are shown of a payload.
const SHOWN_CHARS: usize = 60;

/// Refuses a unit that nobody could run as it is; with `workers` also one that takes more of them than there are.
pub(super) fn check_new_unit(limits: &Limits, unit: &NewUnit, workers: Option<usize>) -> Result<(), UnitRefused> {
    check_json(&unit.payload)?;
    Ok(check_unit(limits, &unit.payload, workers)?)
}

/// Puts a unit into its group, where its job has some.
pub(super) fn grouped(grouping: Option<&Grouping>, unit: NewUnit) -> Result<NewUnit, UnitRefused> {
    let group = grouping.map(|grouping| grouping.group_of(&unit.payload)).transpose()?;
    Ok(NewUnit { group, ..unit })
}

fn check_json(payload: &str) -> Result<(), UnitRefused> {
    // Half of a surrogate pair is only seen by whoever reads the text in which it stands.
    let read = match payload.contains("\\u") {
        false => serde_json::from_str::<IgnoredAny>(payload).map(drop),
        true => serde_json::from_str::<Value>(payload).map(drop),
    };
    read.map_err(|source| UnitRefused::NoJson { beginning: payload.chars().take(SHOWN_CHARS).collect(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_document_is_refused_with_its_beginning() {
        let refused = |payload: &str| {
            let unit = NewUnit { payload: payload.to_owned(), key: None, group: None };
            check_new_unit(&Limits::default(), &unit, None).err().map(|error| error.to_string())
        };

        for sound in ["1", " null ", "\"a\"", "{\"a\":[1.5e3]}", "\"\\ud83d\\ude00\""] {
            assert_eq!(refused(sound), None, "{sound}");
        }
        for wrong in ["", "photo.jpg", "{", "1 2", "'a'", "\"\\ud800\"", "{\"a\":1,}", "NaN"] {
            let said = refused(wrong).unwrap();
            assert!(said.starts_with(&format!("the payload {wrong:?} is no JSON document")), "{said}");
        }
    }
}
