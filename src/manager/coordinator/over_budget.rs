//! A budget that lets no unit start.

use crate::manager::halt::Halt;
use crate::model::Waits;

/// What follows from a budget that lets no unit start.
pub(super) enum OverBudget {
    /// The job pauses.
    Halt(Halt),
    /// Units wait.
    Wait(Waits),
}
