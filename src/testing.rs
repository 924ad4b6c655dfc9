//! For the tests of programs that use this library: jobs run inside the test, retries without waiting, deadlines.
//!
//! The engine is the one of a detached manager, with the same database, states and callbacks; what is missing is the
//! process of its own, and with it the reaction to signals.

use std::time::Duration;

use crate::client::{Client, ClientError, JobOutcome};
use crate::handler::Handlers;
use crate::manager::{self, Clock, ManagerError};
use crate::model::{JobId, JobStatus};

pub use crate::manager::FakeClock;

/// A job that could not be run to an end or a pause.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct RunError(#[from] ManagerError);

/// Runs a job in this process, on threads of its own, until it has ended or is paused.
///
/// ```
/// use job_manager::model::{JobStatus, Seq};
/// use job_manager::{Client, Handlers, NewJob, NewUnit, UnitContext, testing};
///
/// # let dir = tempfile::tempdir()?;
/// let client = Client::create(&dir.path().join("jobs.db"))?;
/// let numbers = [2, 3].iter().map(|number| NewUnit::new(number).expect("a number has a form in JSON"));
/// let job = client.create_job(&NewJob::new("squares", "square"), numbers)?.job;
/// let mut handlers = Handlers::new();
/// handlers.register("square", |number: i64, _: &UnitContext<'_>| Ok(number * number));
///
/// assert_eq!(testing::run_job(&client, job, &handlers)?, JobStatus::Completed);
/// assert_eq!(client.unit(job, Seq(2))?.result_as::<i64>()?, 9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When a manager runs the job, when a handler does not come back after the job was to stop, or the engine itself fails; failed
/// units are no error. A handler that does not come back keeps its thread, and its unit is given back.
pub fn run_job(client: &Client, job: JobId, handlers: &Handlers) -> Result<JobStatus, RunError> {
    Ok(manager::run_inline(&client.path(), job, handlers, Clock::Wall)?)
}

/// Like [`run_job`], with a clock that skips every wait for a retry or a pause: hours of backoff take no time.
///
/// ```
/// use std::time::Duration;
/// use job_manager::model::Timestamp;
/// use job_manager::{Client, Handlers, NewJob, NewUnit, UnitContext, UnitError, testing};
///
/// # let dir = tempfile::tempdir()?;
/// let client = Client::create(&dir.path().join("jobs.db"))?;
/// let job = client.create_job(&NewJob::new("quota", "ask"), [NewUnit::new("x")?])?.job;
/// let mut handlers = Handlers::new();
/// handlers.register("ask", |_: String, unit: &UnitContext<'_>| match unit.attempt() {
///     1 => Err(UnitError::retry_after(Duration::from_secs(3600), "not now")),
///     _ => Ok(()),
/// });
/// let clock = testing::FakeClock::at(Timestamp::now());
/// let began = clock.now();
///
/// testing::run_job_with_clock(&client, job, &handlers, &clock)?;
///
/// assert!(clock.now().since(began) >= Duration::from_secs(3600));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As for [`run_job`].
pub fn run_job_with_clock(
    client: &Client,
    job: JobId,
    handlers: &Handlers,
    clock: &FakeClock,
) -> Result<JobStatus, RunError> {
    Ok(manager::run_inline(&client.path(), job, handlers, Clock::Fake(clock.clone()))?)
}

/// Waits for the end or the pause of a detached job.
///
/// ```no_run
/// # use job_manager::client::JobOutcome;
/// # use job_manager::{Client, testing};
/// # let client = Client::open("jobs.db".as_ref())?;
/// let outcome = testing::wait_for_job(&client, client.find_job("last")?, std::time::Duration::from_secs(10));
/// assert_eq!(outcome, JobOutcome::Completed);
/// # Ok::<(), job_manager::ClientError>(())
/// ```
///
/// # Panics
/// After `deadline`, with the last status and the manager's log, and when the job cannot be read.
#[track_caller]
pub fn wait_for_job(client: &Client, job: JobId, deadline: Duration) -> JobOutcome {
    match client.wait(job, Some(deadline)) {
        Ok(outcome) => outcome,
        Err(error @ ClientError::WaitTimedOut { .. }) => {
            let status = client.get_manager_status(job);
            let log = std::fs::read_to_string(client.job_files(job).log());
            panic!("{error}\nstatus: {status:#?}\nlog:\n{}", log.unwrap_or_else(|error| error.to_string()));
        }
        Err(error) => panic!("cannot wait for job {job}: {error}"),
    }
}
