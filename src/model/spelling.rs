//! How people write values that are more than a number.

use std::time::Duration;

/// A text that is not the value that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is no {what}, write it like {like}")]
pub struct SpellingError {
    /// What was written.
    pub given: String,
    /// What it should be, such as `rate`.
    pub what: &'static str,
    /// How that is written.
    pub like: &'static str,
}

/// Reads `30s`, `1h30m`, `500ms`; a bare number means seconds.
pub fn duration(text: &str) -> Result<Duration, SpellingError> {
    let wrong = || SpellingError { given: text.to_owned(), what: "duration", like: "30s, 1h30m or 500ms" };
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let span: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(span).map_err(|_| wrong())
}
