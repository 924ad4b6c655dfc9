//! What a coordinator knows of the groups of its units.

use std::time::{Duration, Instant};

/// What a coordinator knows of the groups of its units.
#[derive(Debug, Default)]
pub(super) struct GroupsSeen {
    /// Whether nothing has changed about them since they were read.
    pub are_known: bool,
    /// How long the latest look for units that are due has taken.
    pub looked_for: Duration,
    pub marked_at: Option<Instant>,
    pub is_last_expected: bool,
    /// When it last looked whether the manager is gone that has its units.
    pub stood_by_at: Option<Instant>,
}
