//! How many workers a unit takes.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::SpellingError;

/// Most workers a job may have; each is a thread.
pub(super) const MAX_WORKERS: usize = 1024;

/// How many of a job's workers a unit takes while it runs.
///
/// Units start in their order: a large one at the front waits until as many workers are free, and none overtakes it. One
/// that takes more than the job has runs alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Slots {
    /// Each takes so many.
    Each(usize),
    /// As many as this template says, with the values of the payload.
    From(String),
}

impl Slots {
    /// Returns `true` if each unit takes one worker.
    pub fn is_one(&self) -> bool {
        *self == Self::Each(1)
    }
}

impl FromStr for Slots {
    type Err = SpellingError;

    /// Reads `4`, or a template such as `{n}`.
    fn from_str(text: &str) -> Result<Self, SpellingError> {
        if text.contains('{') {
            return Ok(Self::From(text.to_owned()));
        }
        let slots = text.parse().ok().filter(|slots| (1..=MAX_WORKERS).contains(slots));
        let wrong = || SpellingError { given: text.to_owned(), what: "number of workers", like: "4 or {n}" };
        slots.map(Self::Each).ok_or_else(wrong)
    }
}

impl Default for Slots {
    fn default() -> Self {
        Self::Each(1)
    }
}
