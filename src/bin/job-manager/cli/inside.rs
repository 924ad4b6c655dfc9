//! What a verb knows when it is called from inside a unit's command.

use std::env;
use std::ffi::OsStr;
use std::str::FromStr;

use job_manager::model::{AttemptName, JobId, RawText, Seq};
use job_manager::text::check_document;

use super::error::CliError;

/// The attempt that this process belongs to.
pub(super) struct Inside {
    pub job: JobId,
    pub seq: Seq,
    pub attempt: AttemptName,
}

impl Inside {
    /// Reads it from the environment that the manager gave to the command.
    pub fn new() -> Result<Self, CliError> {
        let (job, seq) = (JobId(number("JOB_MANAGER_JOB")?), Seq(number("JOB_MANAGER_UNIT")?));
        let attempt = number("JOB_MANAGER_ATTEMPT")?;
        // A command may hand these three on and nothing else.
        let cookie = env::var("JOB_MANAGER_COOKIE").unwrap_or_default();
        let attempt = AttemptName::of_cookie(&cookie, seq, attempt).unwrap_or_else(|| attempt.into());
        Ok(Self { job, seq, attempt })
    }
}

fn number<T: FromStr>(variable: &'static str) -> Result<T, CliError> {
    env::var(variable).ok().and_then(|value| value.parse().ok()).ok_or(CliError::OutsideUnit)
}

/// Returns a value as JSON: as it is when it is a JSON document, else as a text.
///
/// # Errors
/// When it is `-`, which elsewhere stands for standard input.
pub(super) fn json_or_text(value: &OsStr) -> Result<String, CliError> {
    if value == "-" {
        return Err(CliError::ValueFromStdin);
    }
    Ok(match serde_json::from_slice::<&serde_json::value::RawValue>(value.as_encoded_bytes()) {
        Ok(document) => {
            check_document(document.get())?;
            document.get().to_owned()
        }
        Err(_) => RawText::json_of(value.as_encoded_bytes()),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn what_is_no_json_is_kept_as_text() {
        let kept = |value: &[u8]| json_or_text(OsStr::from_bytes(value)).unwrap();
        assert_eq!(kept(b"17"), "17");
        assert_eq!(kept(b" {\"page\": 3}\n"), "{\"page\": 3}");
        assert_eq!(kept(b"page 3"), "\"page 3\"");
        assert_eq!(kept(b""), "\"\"");
        assert_eq!(kept(b"\"-\""), "\"-\"");
        assert_eq!(kept(b"caf\xe9"), RawText::json_of(b"caf\xe9"));
    }

    #[test]
    fn json_that_readers_do_not_agree_about_is_no_value() {
        for value in [r#"{"a":1,"a":2}"#, "1e999", r#""\ud800""#] {
            assert!(matches!(json_or_text(value.as_ref()), Err(CliError::ValueUnsound(_))), "{value}");
        }
    }
}
