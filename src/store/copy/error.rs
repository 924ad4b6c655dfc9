//! Why a database does not take a copy.

use crate::model::JobId;

/// A copy that a database does not take; nothing was copied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyRefused {
    /// A job with that key is there already.
    #[error("job {job} has the key {key:?} there already")]
    KeyTaken {
        /// The job that has the key.
        job: JobId,
        /// The key.
        key: String,
    },
    /// There is a copy of that job already.
    #[error("job {job} is a copy of it there already")]
    Copied {
        /// The copy.
        job: JobId,
    },
    /// Somebody has changed the job while it was copied.
    #[error("job {job} was changed while it was copied, try again")]
    ChangedMeanwhile {
        /// The job.
        job: JobId,
    },
}
