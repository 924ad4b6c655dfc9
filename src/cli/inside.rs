//! What a verb knows when it is called from inside a unit's command.

use std::env;
use std::str::FromStr;

use super::error::CliError;
use crate::model::{JobId, Seq};

/// The attempt that this process belongs to.
pub(super) struct Inside {
    pub job: JobId,
    pub seq: Seq,
    pub attempt: u32,
}

impl Inside {
    /// Reads it from the environment that the manager gave to the command.
    pub fn new() -> Result<Self, CliError> {
        Ok(Self {
            job: JobId(number("JOB_MANAGER_JOB")?),
            seq: Seq(number("JOB_MANAGER_UNIT")?),
            attempt: number("JOB_MANAGER_ATTEMPT")?,
        })
    }
}

fn number<T: FromStr>(variable: &'static str) -> Result<T, CliError> {
    env::var(variable).ok().and_then(|value| value.parse().ok()).ok_or(CliError::OutsideUnit)
}

/// Returns a value as JSON: as it is when it is a JSON document, else as a text.
pub(super) fn json_or_text(value: &str) -> String {
    match serde_json::from_str::<&serde_json::value::RawValue>(value) {
        Ok(document) => document.get().to_owned(),
        Err(_) => serde_json::Value::from(value).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_is_kept_as_text() {
        assert_eq!(json_or_text("17"), "17");
        assert_eq!(json_or_text(" {\"page\": 3}\n"), "{\"page\": 3}");
        assert_eq!(json_or_text("page 3"), "\"page 3\"");
        assert_eq!(json_or_text(""), "\"\"");
    }
}
