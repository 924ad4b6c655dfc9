//! Errors that the client returns.

mod access;
mod copy;
mod kind;
mod later;
mod limit;
mod start;
mod wording;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::handler::UnitLimitError;
use crate::model::{JobId, JobStatus, Seq, UnitStatus};
use crate::status::Reason;
use crate::store::StoreError;

pub use access::AccessError;
pub use copy::CopyError;
pub use later::LaterError;
pub use limit::LimitError;
pub use start::StartError;
use wording::{after, known, within};

/// A verb that did not happen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The database refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database may not be used as it was asked for; nothing was changed.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A source of units failed; nothing was created.
    #[error("cannot read the units")]
    Source(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A source gave no unit; nothing was created.
    #[error("there are no units, a job needs at least one")]
    NoUnits,
    /// A job that does something else has the key of the new one; nothing was created.
    #[error(
        "job {job} has the key {key:?} already and does something else: {differences}; give the new job another key"
    )]
    KeyOfAnotherJob {
        /// The job that has the key.
        job: JobId,
        /// The key.
        key: String,
        /// What differs, with the job's value and the new one.
        differences: String,
    },
    /// Two units of a source have the same key; nothing was changed.
    #[error("two units of the source have the same key{}: each key must be unique", key.as_ref().map(|key| format!(" {key:?}")).unwrap_or_default())]
    KeyTwice {
        /// The key, as far as it is known.
        key: Option<String>,
    },
    /// No job has that key.
    #[error("no job has the key {key:?}")]
    NoJobOfKey {
        /// What was looked for.
        key: String,
    },
    /// The job has no unit of that key.
    #[error("job {job} has no unit of the key {key:?}")]
    NoUnitOfKey {
        /// The job.
        job: JobId,
        /// What was looked for.
        key: String,
    },
    /// An attempt cannot say when the next one may start.
    #[error(transparent)]
    Later(#[from] LaterError),
    /// A limit cannot be used; nothing was created or changed.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// Units that may run at most once would run again; nothing was changed.
    #[error("the units of job {job} may run at most once: more attempts are for a new job")]
    AtMostOnce {
        /// The job.
        job: JobId,
    },
    /// A job cannot be copied, or has moved; nothing was changed.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// Limits that units have of their own cannot be used; nothing was created or changed.
    #[error(transparent)]
    UnitLimit(#[from] UnitLimitError),
    /// Units need secrets that this process does not have; nothing was started.
    #[error("the units of job {job} need {names}, not set here")]
    SecretsMissing {
        /// The job.
        job: JobId,
        /// Their names.
        names: String,
        /// The state of the job, in which it stays.
        status: JobStatus,
    },
    /// A secret was given that the units of the job do not get; nothing was started.
    #[error("the units of job {job} get no secret {name}: {}", known(secrets))]
    NoSuchSecret {
        /// The job.
        job: JobId,
        /// What was given.
        name: String,
        /// Names of those that they get.
        secrets: String,
    },
    /// No job answers to that name.
    #[error("no job {selector:?}")]
    NoSuchJob {
        /// What was looked for.
        selector: String,
    },
    /// Units of one item cannot be split.
    #[error("the units of job {job} have one item each, retry them as they are")]
    OneItemEach {
        /// The job.
        job: JobId,
    },
    /// Units of several items have no identity that outlives a change of their source.
    #[error(
        "the units of job {job} have several items each: one more at the beginning would change all of them, so their source cannot be compared"
    )]
    SeveralItems {
        /// The job.
        job: JobId,
    },
    /// Several jobs answer to that prefix.
    #[error("several jobs have a uid that begins with {prefix:?}, give more of it")]
    AmbiguousJob {
        /// What was looked for.
        prefix: String,
    },
    /// The unit has no attempt of that number.
    #[error("unit {job}:{seq} has no attempt {number}")]
    AttemptNotFound {
        /// The job.
        job: JobId,
        /// The unit.
        seq: Seq,
        /// The attempt.
        number: u32,
    },
    /// The job has no unit of that number.
    #[error("job {job} has no unit {seq}")]
    UnitNotFound {
        /// The job.
        job: JobId,
        /// The number.
        seq: Seq,
    },
    /// No unit of the job fits the filter.
    #[error("no unit of job {job} fits the filter")]
    NoUnitFits {
        /// The job.
        job: JobId,
    },
    /// The job has no unit left to run.
    #[error("job {job} is {status}, nothing is left to run")]
    NothingToRun {
        /// The job.
        job: JobId,
        /// Where it stands.
        status: JobStatus,
    },
    /// The output that was kept of a unit cannot be read.
    #[error("cannot read the output of unit {seq}")]
    Output {
        /// The unit.
        seq: Seq,
        /// The cause.
        source: io::Error,
    },
    /// The unit does not run, so that nothing is to be ended.
    #[error("unit {job}:{seq} does not run, it is {status}")]
    UnitIdle {
        /// The job.
        job: JobId,
        /// The unit.
        seq: Seq,
        /// Where it stands.
        status: UnitStatus,
    },
    /// The job's first units have ended, and nobody has decided about the others.
    #[error("job {job} waits for a decision about its first units: approve or reject it")]
    AwaitsApproval {
        /// The job.
        job: JobId,
    },
    /// The job is in a state in which this cannot be done.
    #[error("cannot {operation} job {job}: it is {status}")]
    WrongStatus {
        /// What was tried.
        operation: &'static str,
        /// The job.
        job: JobId,
        /// Where it stands.
        status: JobStatus,
    },
    /// The manager lets no unit start any more, and the job is about to be paused.
    #[error("job {job} is still stopping")]
    StillStopping {
        /// The job.
        job: JobId,
    },
    /// The manager ends the units, and the job is about to be cancelled.
    #[error("job {job} is being cancelled")]
    StillCancelling {
        /// The job.
        job: JobId,
    },
    /// The job is to be cancelled, and its manager, or whoever else was to do so, died before.
    #[error("job {job} is to be cancelled, and whoever was to do so is gone")]
    CancelUnfinished {
        /// The job.
        job: JobId,
    },
    /// The job's manager is gone; there is nothing to stop.
    #[error("job {job} is interrupted, its manager has died")]
    Interrupted {
        /// The job.
        job: JobId,
    },
    /// A manager runs the job, so that this cannot be done.
    #[error("cannot {operation} job {job} while its manager runs: stop it first")]
    ManagerRuns {
        /// What was tried.
        operation: &'static str,
        /// The job.
        job: JobId,
    },
    /// Processes of the job's units live and cannot be ended.
    #[error(
        "processes of job {job} cannot be ended, nothing was changed: look for JOB_MANAGER_JOB={job} in their environment"
    )]
    OrphansRemain {
        /// The job.
        job: JobId,
    },
    /// It cannot be told whether a manager runs the job, and nobody takes over on a guess.
    #[error("cannot tell whether a manager runs job {job}{}{}", after(": ", reason), after("; ", lock))]
    HealthUnknown {
        /// The job.
        job: JobId,
        /// The cause.
        reason: Option<Reason>,
        /// Why the job's lock could not be looked at, if that is so.
        lock: Option<String>,
    },
    /// No manager could be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The job was created with all its units, and its manager could not be started.
    #[error("job {job} was created and could not be started: start it, or submit it again with the same key")]
    NotStarted {
        /// The job.
        job: JobId,
        /// The cause.
        source: Box<ClientError>,
    },
    /// What was waited for did not happen in time.
    #[error("job {job} has not ended{}", within(*waited))]
    WaitTimedOut {
        /// The job.
        job: JobId,
        /// How long it was to be waited for; zero for a look.
        waited: Duration,
    },
    /// All that units wrote was asked for, and the job does not keep it.
    #[error("job {job} does not keep all of its units' output")]
    OutputNotKept {
        /// The job.
        job: JobId,
    },
    /// A file beside the database cannot be used.
    #[error("cannot {operation} {}", path.display())]
    Files {
        /// What was tried.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}
