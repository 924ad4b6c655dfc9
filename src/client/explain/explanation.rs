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
    /// What is waited for, if the cause is a waiting one, without the job's name: as a status says it.
    pub waiting_for: Option<String>,
}

impl Explanation {
    pub(super) fn new(cause: Why, sentence: String, next_step: NextStep) -> Self {
        Self { cause, sentence, next_step, waiting_for: None }
    }

    /// Adds what is waited for.
    pub(super) fn waiting(self, what: impl ToString) -> Self {
        Self { waiting_for: Some(what.to_string()), ..self }
    }
}
