//! Units that are no longer part of what their job's source says.

use super::words::words;

/// Why a unit is no longer part of what its job's source says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outdated {
    /// A sync did not find it in the source. It keeps the end it had; one that is in the source again loses this mark.
    Gone,
    /// It changed before it ran, and another unit runs with the new content.
    Replaced,
}

words!(Outdated, "reason", { Gone => "gone", Replaced => "replaced" });
