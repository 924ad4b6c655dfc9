//! Creating jobs and adding units.

use std::env;
use std::time::Duration;

use tracing::warn;

use super::approve::check_sample;
use super::conditions::check_conditions;
use super::groups::check_groups;
use super::inside::show_own_life;
use super::later::check_later;
use super::lease::check_lease;
use super::made::{MadePath, made_path};
use super::memory::check_memory;
use super::meters::{check_meters, check_reserves};
use super::payload::{check_new_unit, grouped};
use super::review::check_flag_if;
use super::{Client, ClientError, Created, LimitError, StartError};
use crate::crash::crash_point;
use crate::handler::{Grouping, check_templates};
use crate::model::{Contents, JobId, Limits, NewJob, NewUnit, Submitter, Timestamp, TraceContext};
use crate::store::{CreateOutcome, SameKey, StoreError};
use crate::sys::{self, JobLock, SharedLock};

/// Units written by one transaction, and the bytes of payload after which it ends early.
const CHUNK_UNITS: usize = 10_000;
const CHUNK_BYTES: usize = 8 << 20;

/// Returns `true` if managers can be started in a systemd scope of their own; makes one for a moment to find out.
///
/// ```no_run
/// if let Err(error) = job_manager::client::check_scope() {
///     eprintln!("{error}");
/// }
/// ```
pub fn check_scope() -> Result<(), ClientError> {
    sys::try_scope().map_err(|source| StartError::NoScope { job: None, source }.into())
}

impl Client {
    /// Creates a job from units that come one by one, without holding more than a few thousand of them.
    ///
    /// The job is seen by nobody before its last unit is durable: a crash, or an error of the source, leaves no job.
    /// A job whose key another job has is not created. When that other job does the same it is returned, and the units
    /// are read to their end to tell whether they are the same too.
    ///
    /// # Errors
    /// [`ClientError::KeyOfAnotherJob`] when the job of that key has another handler, other settings, or other limits than
    /// those that say how fast it goes.
    ///
    /// ```no_run
    /// # use job_manager::{Client, NewJob, NewUnit};
    /// let client = Client::create("jobs.db".as_ref())?;
    /// let units = (1..=1000).map(|n| NewUnit::new(&n).expect("a number has a form in JSON"));
    /// let created = client.create_job(&NewJob::new("numbers", "square"), units)?;
    /// client.start_detached(created.job)?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn create_job(&self, new: &NewJob, units: impl IntoIterator<Item = NewUnit>) -> Result<Created, ClientError> {
        self.try_create_job(new, units.into_iter().map(Ok::<_, std::convert::Infallible>))
    }

    /// Creates a job from a source that may fail; see [`Client::create_job`].
    ///
    /// ```no_run
    /// # use job_manager::{Client, NewJob, NewUnit};
    /// use std::io::BufRead;
    /// let client = Client::create("jobs.db".as_ref())?;
    /// let units = std::io::stdin().lock().lines().map(|line| {
    ///     line.map(|line| NewUnit::new(&line).expect("a text has a form in JSON"))
    /// });
    /// client.try_create_job(&NewJob::new("lines", "count-words"), units)?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn try_create_job<E>(
        &self,
        new: &NewJob,
        units: impl IntoIterator<Item = Result<NewUnit, E>>,
    ) -> Result<Created, ClientError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        check_new_job(new)?;
        let mut units = with_own_limits(units, new.limits.clone(), Some(new.limits.workers)).peekable();
        if units.peek().is_none() {
            return Err(ClientError::NoUnits);
        }
        self.create_checked_job(new, units)
    }

    /// Creates a job that [`check_new_job`] has let through; one without units completes as soon as it is started.
    pub(super) fn create_checked_job<E>(
        &self,
        new: &NewJob,
        units: impl IntoIterator<Item = Result<NewUnit, E>>,
    ) -> Result<Created, ClientError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        check_lease(&self.path(), &new.limits)?;
        check_memory(&self.path(), &new.handler, &new.limits)?;
        let mut units = units.into_iter();
        let (first, all) = next_chunk(&mut units)?;
        self.sweep_partial_jobs()?;
        let path = self.state.partial_lock();
        let _lock = SharedLock::acquire(&path).map_err(ClientError::files("lock", &path))?;
        self.write_job(&with_submitter(new)?, first, all, &mut units)
    }

    pub(super) fn write_job<E>(
        &self,
        new: &NewJob,
        first: Vec<NewUnit>,
        all: bool,
        units: &mut impl Iterator<Item = Result<NewUnit, E>>,
    ) -> Result<Created, ClientError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (now, made) = (Timestamp::now(), made_path(&new.handler, &new.spec));
        let outcome = match &made {
            Some(made) => self.store().create_job_making(new, &first, all, now, made)?,
            None => self.store().create_job(new, &first, all, now)?,
        };
        let job = match outcome {
            CreateOutcome::Existing(job) => return self.compare_with(job, new, first, units),
            CreateOutcome::Created(job) => job,
        };
        let mut contents = Contents::default();
        contents.add_all(&first);
        drop(first);
        crash_point!("job-partial");
        if !all && let Err(error) = self.fill(job, new, contents, units, made.as_ref()) {
            // What happened counts; what cannot be swept now is swept by the next creation.
            let _ = self.store().sweep_jobs(&[job]);
            return Err(error);
        }
        Ok(Created { job, new: true, differs: None })
    }

    /// Appends units; those that make paths make none that another unit of the job makes.
    pub(super) fn append(
        &self,
        job: JobId,
        units: &[NewUnit],
        same_key: SameKey,
        made: Option<&MadePath>,
    ) -> Result<usize, ClientError> {
        show_own_life();
        Ok(match made {
            Some(made) => self.store().append_units_making(job, units, same_key, made)?,
            None => self.store().append_units(job, units, same_key)?,
        })
    }

    /// Deletes what interrupted creations and deletions left behind, unless somebody creates or deletes right now.
    pub(super) fn sweep_partial_jobs(&self) -> Result<(), ClientError> {
        self.provide_state_dir()?;
        let path = self.state.partial_lock();
        // The lock first: a job that is found under it is being created or deleted by nobody.
        if let Some(_alone) = JobLock::try_acquire(&path).map_err(ClientError::files("lock", &path))? {
            let leftovers = self.store().partial_jobs()?;
            self.store().sweep_jobs(&leftovers)?;
        }
        Ok(())
    }
}

/// Records what the job's units inherit from this process.
pub(super) fn with_submitter(new: &NewJob) -> Result<NewJob, StoreError> {
    let failed =
        |source| StoreError::Files { operation: "read what units inherit from", path: "/proc/self".into(), source };
    let given = new.submitter.as_ref().and_then(|submitter| submitter.trace.clone());
    let submitter = Submitter { trace: given.or_else(own_trace), ..sys::own_inheritance().map_err(failed)? };
    Ok(NewJob { submitter: Some(submitter), ..new.clone() })
}

/// Returns the span of a trace that this process is in; one that cannot be read is none.
fn own_trace() -> Option<TraceContext> {
    let given = env::var_os(TraceContext::PARENT_VARIABLE)?;
    let state = env::var(TraceContext::STATE_VARIABLE).ok();
    TraceContext::new(&given.to_string_lossy(), state)
        .inspect_err(|error| warn!("{} is {given:?} and ignored: {error}", TraceContext::PARENT_VARIABLE))
        .ok()
}

/// Refuses a number of workers that no job can have.
pub(super) fn refuse_workers_out_of_range(workers: usize) -> Result<(), ClientError> {
    match workers {
        1..=Limits::MAX_WORKERS => Ok(()),
        given => Err(LimitError::WorkersOutOfRange { given, max: Limits::MAX_WORKERS }.into()),
    }
}

/// Refuses what nobody may say about a job.
pub(super) fn check_description(new: &NewJob) -> Result<(), ClientError> {
    new.check_words().map_err(StoreError::from)?;
    check_limits(&new.limits)
}

/// Refuses a time without a sign of life that no attempt can reach.
pub(super) fn check_times(limits: &Limits) -> Result<(), LimitError> {
    // Zero is no limit; a template's value differs from unit to unit.
    let above_zero = |limit: Option<Duration>| limit.filter(|limit| !limit.is_zero());
    match (above_zero(limits.idle_timeout), above_zero(limits.timeout)) {
        (Some(idle), Some(timeout)) if idle > timeout => Err(LimitError::IdleAfterTimeout { idle, timeout }),
        _ => Ok(()),
    }
}

/// Refuses limits that no job can have.
pub(super) fn check_limits(limits: &Limits) -> Result<(), ClientError> {
    check_conditions(&limits.start)?;
    check_templates(limits)?;
    check_later(limits)?;
    check_times(limits)?;
    check_groups(limits)?;
    check_sample(limits)?;
    refuse_workers_out_of_range(limits.workers)
}

/// Refuses what is wrong with a job whatever its units are.
pub(super) fn check_new_job(new: &NewJob) -> Result<(), ClientError> {
    check_description(new)?;
    check_meters(&new.limits, &new.handler, &new.spec)?;
    check_flag_if(&new.limits, &new.handler, &new.spec)?;
    check_reserves(None, &new.limits)?;
    if new.isolation.scope { check_scope() } else { Ok(()) }
}

/// Refuses units that nobody could run as they are.
pub(super) fn with_own_limits<E>(
    units: impl IntoIterator<Item = Result<NewUnit, E>>,
    limits: Limits,
    workers: Option<usize>,
) -> impl Iterator<Item = Result<NewUnit, Box<dyn std::error::Error + Send + Sync>>>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let grouping = Grouping::of(&limits);
    units.into_iter().map(move |unit| {
        let unit = unit.map_err(Into::into)?;
        check_new_unit(&limits, &unit, workers)?;
        match &grouping {
            Ok(grouping) => Ok(grouped(grouping.as_ref(), unit)?),
            Err(error) => Err(error.to_string().into()),
        }
    })
}

/// Takes units until a chunk is full; true when these were the last.
pub(super) fn next_chunk<E>(
    units: &mut impl Iterator<Item = Result<NewUnit, E>>,
) -> Result<(Vec<NewUnit>, bool), ClientError>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut chunk = Vec::new();
    let mut bytes = 0;
    while chunk.len() < CHUNK_UNITS && bytes < CHUNK_BYTES {
        let Some(unit) = units.next() else { return Ok((chunk, true)) };
        let unit = unit.map_err(|error| ClientError::Source(error.into()))?;
        bytes += unit.payload.len();
        chunk.push(unit);
    }
    Ok((chunk, false))
}
