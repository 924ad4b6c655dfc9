//! What became of a creation.

use serde::Serialize;

use crate::model::JobId;

/// What became of a creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Created {
    /// The job.
    pub job: JobId,
    /// False when a job with the same key was there already and nothing was changed.
    pub new: bool,
    /// How the units that were given differ from those of the job that was there; none when they are what that job was
    /// created with, or has now.
    pub differs: Option<UnitsDiffer>,
}

/// How units that were given differ from those of a job; a sync with them takes the difference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UnitsDiffer {
    /// Units that the job does not have.
    pub new: usize,
    /// Units that have another content under the same key.
    pub changed: usize,
    /// Units of the job that were not given.
    pub gone: usize,
}
