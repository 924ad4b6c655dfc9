//! What becomes of the units of a host that is not heard of any more.

use super::words::words;

/// What happens to the units of a manager whose lease has ended, when it ran on another host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnHostLoss {
    /// Other hosts run them.
    Retry,
    /// They wait until that host is back, or until somebody says that it is dead: it may be cut off only, and run them yet.
    Wait,
}

words!(OnHostLoss, "answer to the loss of a host", { Retry => "retry", Wait => "wait" });

impl OnHostLoss {
    /// Returns `true` if other hosts run its units.
    pub fn is_retry(&self) -> bool {
        *self == Self::Retry
    }
}
