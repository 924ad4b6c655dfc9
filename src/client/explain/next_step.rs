//! What helps, or shows more, as a value: each face says it in its own verbs.

use crate::model::{Amount, JobId, UnitId};

/// What helps somebody who asked why nothing happens, or shows more.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NextStep {
    /// Start the job.
    Start(JobId),
    /// Resume the job.
    Resume(JobId),
    /// Resume the job as all that a shutdown or a crash has interrupted.
    Recover(JobId),
    /// Approve the rest of the job after a look at its first units.
    Approve(JobId),
    /// Look at the flagged units of the job, and decide about them.
    Review(JobId),
    /// Cancel the job.
    Cancel(JobId),
    /// Stop the job without waiting for the end of its units.
    StopNow(JobId),
    /// Wait for the end of the job.
    Wait(JobId),
    /// Look at where the job stands.
    Status(JobId),
    /// Read what the manager of the job has written.
    ManagerLog(JobId),
    /// Ask why nothing happens in this job, another one.
    Explain(JobId),
    /// See the failed units of the job by kind.
    Failures(JobId),
    /// See the results of the job.
    Results(JobId),
    /// Look at the units of the job that are pending.
    PendingUnits(JobId),
    /// Look at the unit.
    Unit(UnitId),
    /// Take the unit back to be run again.
    RetryUnit(UnitId),
    /// Have the units of the job tried at once that wait for a later time.
    RetryWaiting(JobId),
    /// Have the unit tried at once, which waits for a later time.
    RetryWaitingUnit(UnitId),
    /// Take the unit back, which was skipped.
    RetrySkipped(UnitId),
    /// Take the cancelled units of the job back.
    RetryCancelled(JobId),
    /// Give the job as many workers as can work.
    Scale {
        /// The job.
        job: JobId,
        /// How many.
        workers: i64,
    },
    /// Lift a limit of the job.
    Lift {
        /// The job.
        job: JobId,
        /// Name of the limit.
        limit: &'static str,
    },
    /// Raise the budget of the job.
    RaiseBudget {
        /// The job.
        job: JobId,
        /// The meter.
        meter: String,
        /// What would be enough as far as that is known.
        amount: Amount,
        /// Whether it is for each day.
        daily: bool,
    },
    /// Look at the jobs that run.
    RunningJobs,
    /// Examine the database and the machine.
    Doctor,
    /// Look at the process with this number.
    Process(u32),
    /// Let the process with this number go on, if it is suspended.
    ContinueProcess(u32),
}
