//! What a host is asked to do, and what happens on it.

use serde::Serialize;

use crate::model::JobId;

/// Which share a host takes.
#[derive(Debug, Clone, Default)]
pub struct WorkOptions {
    /// The jobs, also those that were created only; none for each job that is running.
    pub jobs: Option<Vec<JobId>>,
    /// Most units of a job that run at a time here, whatever the job's limit.
    pub workers: Option<usize>,
    /// Whether to return once no job has anything to do.
    pub exit_when_idle: bool,
}

/// What has happened on a host that works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum WorkEvent {
    /// A manager was started, or there was one.
    Started {
        /// The job.
        job: JobId,
        /// Its process number, as far as it is known.
        pid: Option<u32>,
    },
    /// The manager of a job has ended here.
    Ended {
        /// The job.
        job: JobId,
    },
    /// Processes of units were ended whose manager is dead.
    Cleared {
        /// The job.
        job: JobId,
        /// How many.
        processes: usize,
    },
    /// A job does not run here now.
    Failed {
        /// The job.
        job: JobId,
        /// Why.
        reason: String,
    },
    /// The database cannot be asked at present.
    Away {
        /// Why.
        reason: String,
    },
}
