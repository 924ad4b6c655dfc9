//! Why a group is not made, or not changed.

use crate::model::JobId;

/// A group that is not made or changed; nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GroupRefused {
    /// No unit is in it.
    #[error("job {job} has no group {name:?}")]
    NotFound {
        /// The job.
        job: JobId,
        /// What was looked for.
        name: String,
    },
    /// There are too many of them.
    #[error("job {job} would have more than {most} groups: group its units by something with fewer values")]
    TooMany {
        /// The job.
        job: JobId,
        /// How many it may have.
        most: usize,
    },
}
