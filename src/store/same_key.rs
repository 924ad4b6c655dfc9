//! Units of the same key.

/// What happens to a unit whose key another unit of its job has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameKey {
    /// Nothing is inserted at all.
    Refuse,
    /// It is the same unit, and is skipped.
    LeaveOut,
}
