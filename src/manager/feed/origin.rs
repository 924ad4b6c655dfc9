//! Where a queued unit comes from.

/// Why a unit is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::manager) enum Origin {
    /// For its first attempt; such units are read in order of their numbers.
    Fresh,
    /// It came back to pending and is due.
    Due,
}
