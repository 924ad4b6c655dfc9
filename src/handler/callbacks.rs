//! What a service wants to be told while its manager runs a job.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::model::{JobId, JobStatus, Progress, Seq, UnitStatus};

/// A unit that has ended; its end is durable when a callback sees it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct UnitReport {
    /// The job.
    pub job: JobId,
    /// Name of the job.
    pub job_name: String,
    /// Number of the unit.
    pub seq: Seq,
    /// Key of the unit, if it has one.
    pub key: Option<String>,
    /// Payload of the unit, as JSON.
    pub payload: String,
    /// How it ended.
    pub status: UnitStatus,
    /// Attempts it took.
    pub attempts: u32,
    /// What its handler returned, as JSON.
    pub result: Option<String>,
    /// Why it did not complete, in words.
    pub error: Option<String>,
}

impl UnitReport {
    /// Reads the result; a handler that returned nothing has the result `null`.
    pub fn result_as<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.result.as_deref().unwrap_or("null"))
    }
}

/// A job whose manager is about to end.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct JobReport {
    /// The job.
    pub job: JobId,
    /// Name of the job.
    pub name: String,
    /// Where it stands from now on: an end, or paused.
    pub status: JobStatus,
    /// Counters of its units.
    pub progress: Progress,
}

/// Who is told something; an error is what went wrong with that, in words.
pub type Listener<T> = Arc<dyn Fn(&T) -> Result<(), String> + Send + Sync>;

/// Everything that a service wants to be told.
#[derive(Clone, Default)]
pub struct Callbacks {
    pub(super) unit_complete: Vec<Listener<UnitReport>>,
    pub(super) unit_failed: Vec<Listener<UnitReport>>,
    pub(super) job_end: Vec<Listener<JobReport>>,
    /// Called when the manager leaves a job whose end is not its own to tell.
    pub(super) leave: Vec<Listener<()>>,
}

impl Callbacks {
    /// Returns `true` if units that end like this are of interest to anybody.
    pub fn wants(&self, status: UnitStatus) -> bool {
        !self.of(status).is_empty()
    }

    /// Returns `true` if anybody wants to be told of units.
    pub fn wants_units(&self) -> bool {
        UnitStatus::ALL.iter().any(|status| self.wants(*status))
    }

    /// Returns the callbacks for units that end like this.
    pub fn of(&self, status: UnitStatus) -> &[Listener<UnitReport>] {
        match status {
            UnitStatus::Completed => &self.unit_complete,
            UnitStatus::Failed => &self.unit_failed,
            UnitStatus::Pending | UnitStatus::Running | UnitStatus::Skipped | UnitStatus::Cancelled => &[],
        }
    }

    /// Returns the callbacks for the end of a job.
    pub fn job_end(&self) -> &[Listener<JobReport>] {
        &self.job_end
    }

    /// Returns what finishes its calls when the manager leaves the job, whoever tells of the end.
    pub fn leave(&self) -> &[Listener<()>] {
        &self.leave
    }
}
