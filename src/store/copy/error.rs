//! Why a database does not take a copy.

use crate::model::JobId;

/// A copy that a database does not take; nothing was copied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyRefused {
    /// A job with that key is there already.
    #[error("the other database has a job with the key {key:?} already, job {job}")]
    KeyTaken {
        /// The job that has the key.
        job: JobId,
        /// The key.
        key: String,
    },
    /// There is a copy of that job already.
    #[error("the other database has a copy of this job already, job {job}")]
    Copied {
        /// The copy.
        job: JobId,
    },
    /// Somebody has changed the job while it was copied.
    #[error("job {job} was changed while it was being copied, try again")]
    ChangedMeanwhile {
        /// The job.
        job: JobId,
    },
}
