//! What stands in the way of a recovery.

use std::io;

use crate::store::StoreError;

/// A recovery that cannot go on; what it has not done is done by the next one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecoveryError {
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The operating system refused.
    #[error("cannot {operation}")]
    System {
        /// What was tried.
        operation: &'static str,
        /// Why.
        source: io::Error,
    },
}

impl RecoveryError {
    /// Returns a function that wraps what the operating system said about an operation.
    pub(super) fn system(operation: &'static str) -> impl FnOnce(io::Error) -> RecoveryError {
        move |source| RecoveryError::System { operation, source }
    }
}
