//! Consecutive units.

use crate::model::Seq;

/// Consecutive units of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitRange {
    /// All have a higher number.
    pub after: Seq,
    /// None has a higher one; [`Seq::MAX`] where units that are added later are among them.
    pub through: Seq,
}
