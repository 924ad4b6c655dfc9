//! What an examination found.

use serde::Serialize;

use crate::model::JobId;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// As it should be.
    Ok,
    /// May hurt one day.
    Warning,
    /// Hurts now.
    Error,
}

impl Severity {
    /// Returns the word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warn",
            Self::Error => "error",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What was looked at.
    pub about: &'static str,
    /// What was found.
    pub message: String,
    /// What can be done about it, where a verb or an option helps.
    #[serde(skip)]
    pub remedy: Option<Remedy>,
}

/// What can be done about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remedy {
    /// A recovery of all jobs ends processes that live on.
    EndOrphans,
    /// The next start of a job ends them, or a kill of their unit.
    EndStrays,
    /// A recovery of all jobs continues those that were interrupted.
    Continue,
    /// A recovery starts jobs that nobody has started; they can be deleted as well.
    StartOrDelete,
    /// A limit over all jobs can be set.
    LimitMachine,
    /// The limit over all jobs, which cannot be read, can be set again.
    LimitMachineAgain,
    /// The job, which cannot be read, can be deleted.
    Delete(JobId),
    /// Jobs of their own scope outlive the service.
    OwnScope,
    /// A recovery of all jobs when the container starts continues them, if their database is outside of it.
    RecoverInContainer,
}
