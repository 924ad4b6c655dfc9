//! Why what a unit says that it has spent is not counted.

use crate::model::JobId;

/// What a unit says that it has spent, and is not counted; nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MeterRefused {
    /// The job does not count that.
    #[error("job {job} has no meter {name:?}{}", has(known))]
    NoMeter {
        /// The job.
        job: JobId,
        /// What was said to be spent.
        name: String,
        /// What it counts.
        known: Vec<String>,
    },
    /// The unit that a job ends with is none that anybody pays for.
    #[error("the last unit of job {job} is not one of its items: what it costs is not counted")]
    LastUnit {
        /// The job.
        job: JobId,
    },
    /// The sum is more than can be counted.
    #[error("the meter {name:?} of job {job} can count no more")]
    SpentTooMuch {
        /// The job.
        job: JobId,
        /// The meter.
        name: String,
    },
}

fn has(known: &[String]) -> String {
    if known.is_empty() { ": it was created without any".to_owned() } else { format!(", it has {}", known.join(", ")) }
}
