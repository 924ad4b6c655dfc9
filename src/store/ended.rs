//! What ends a write through a caller's connection.

use std::path::Path;

use super::StoreError;
use super::failure::Failure;

/// The caller's side has refused something, or ours has failed.
pub(super) enum Ended<E> {
    Refused(E),
    Failed(Failure),
}

impl<E, F: Into<Failure>> From<F> for Ended<E> {
    fn from(failure: F) -> Self {
        Self::Failed(failure.into())
    }
}

impl<E: From<StoreError>> Ended<E> {
    /// Adds what was tried on which database.
    pub fn during(self, operation: &'static str, path: &Path) -> E {
        match self {
            Self::Refused(error) => error,
            Self::Failed(failure) => failure.during(operation, path).into(),
        }
    }
}
