//! Why a unit is not flagged, or a decision about one not taken.

use crate::model::{Decision, JobId, Seq, UnitStatus};

/// What is not done about a flag; nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlagRefused {
    /// The unit that a job ends with is none of its items.
    #[error("the last unit of job {job} is not one of its items, and nobody reviews it")]
    LastUnit {
        /// The job.
        job: JobId,
    },
    /// The job has no such unit.
    #[error("job {job} has no unit {seq}")]
    NoUnit {
        /// The job.
        job: JobId,
        /// The unit.
        seq: Seq,
    },
    /// Only what completed can be decided about.
    #[error("unit {seq} of job {job} is {status}, not completed: there is nothing to review")]
    NotCompleted {
        /// The job.
        job: JobId,
        /// The unit.
        seq: Seq,
        /// Where it stands.
        status: UnitStatus,
    },
    /// Somebody was faster.
    #[error("unit {seq} of job {job} was {decision} by {by} already")]
    Decided {
        /// The job.
        job: JobId,
        /// The unit.
        seq: Seq,
        /// What they decided.
        decision: Decision,
        /// Who.
        by: String,
    },
}
