//! What a handler is given.

use std::io::PipeReader;

use crate::model::{AttemptEnd, Epoch, JobFiles, JobId, Limits, Unit};

/// Code that runs units of one job; shared by all its workers.
pub trait Handler: Send + Sync {
    /// Runs one attempt at one unit and says how it ended.
    fn run(&self, attempt: &Attempt<'_>) -> AttemptEnd;

    /// Says whether the end of a unit must outlive a death of the manager even before it is committed.
    ///
    /// A death then causes no unit to run again but those that were running. It costs a small write per unit; without
    /// it the units of one commit may run again, which is right for units of microseconds only.
    fn commits_each_unit(&self) -> bool {
        false
    }
}

/// The job that a handler works for.
#[derive(Debug, Clone)]
pub struct JobContext {
    /// Number of the job.
    pub id: JobId,
    /// Id of the job that is unique everywhere.
    pub uid: String,
    /// Reign of the manager.
    pub epoch: Epoch,
    /// Bounds of the run.
    pub limits: Limits,
    /// Settings of the handler, as JSON.
    pub spec: String,
    /// The job's files.
    pub files: JobFiles,
}

/// One attempt at one unit.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The job.
    pub job: &'a JobContext,
    /// The unit.
    pub unit: &'a Unit,
    /// Number of the attempt, counted from 1.
    pub number: u32,
    /// Worker slot, counted from 0; no two attempts that run at once share one.
    pub slot: usize,
    /// Becomes ready when running units are to be ended.
    pub stop: &'a PipeReader,
}

/// A job that no handler can be made for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandlerError {
    /// This program has no handler of that name.
    #[error("unknown handler {name:?}, this program knows: {known}")]
    Unknown {
        /// The name in the job.
        name: String,
        /// The names registered here.
        known: String,
    },
    /// The job's settings are not what the handler expects.
    #[error("the settings of the job do not fit its handler {name:?}")]
    Spec {
        /// The handler.
        name: String,
        /// What is wrong with them.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
