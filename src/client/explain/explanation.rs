//! The answer.

use super::next_step::NextStep;
use crate::model::Why;

/// Why a job or a unit is where it is, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The cause in one word that does not change.
    pub cause: Why,
    /// The cause in words for people, which may.
    pub sentence: String,
    /// What helps, or shows more.
    pub next_step: NextStep,
}

impl Explanation {
    pub(super) fn new(cause: Why, sentence: String, next_step: NextStep) -> Self {
        Self { cause, sentence, next_step }
    }
}
