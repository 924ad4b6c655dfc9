//! What becomes of units whose handler this program does not have.

use super::runner::{Attempt, Runner};
use crate::model::{AttemptEnd, Cause, UnitOutcome};

/// Fails every unit with the name that was looked for and those that are known.
///
/// The units and not the job, so that whoever has the right program can retry them, and nothing crashes in a loop.
pub(super) struct Unknown {
    pub name: String,
    pub known: String,
}

impl Runner for Unknown {
    fn run(&self, _attempt: &Attempt<'_>) -> AttemptEnd {
        let error = format!("unknown handler {:?}, this program knows: {}", self.name, self.known);
        UnitOutcome::Failed { cause: Cause::NotStarted, error }.into()
    }
}
