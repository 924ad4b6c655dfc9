//! Submitting a job: creating it, or finding it by its key, and having it run.

use super::{Client, ClientError, Created, Started, UnitsDiffer};
use crate::model::{JobId, JobStatus, NewJob, NewUnit};
use crate::store::Extent;

/// What a submission led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Submitted {
    /// The job.
    pub job: JobId,
    /// False when a job with the same key was there already.
    pub new: bool,
    /// How the units that were given differ from those of the job that was there; none when they are what that job was
    /// created with, or has now.
    pub differs: Option<UnitsDiffer>,
    /// The manager that was started, or that runs the job already; none when the job is not to be run: it has ended, somebody
    /// has paused it or is about to, or it waits for a decision.
    pub started: Option<Started>,
    /// Where the job stands.
    pub status: JobStatus,
}

impl Client {
    /// Creates a job, or finds the one of its key, and has it run unless it has ended or somebody wants it to rest.
    ///
    /// May be called again with the same key after a crash at any moment: whatever was left undone is done then. A job that
    /// was created and not started is started, one whose manager died goes on, one that runs or has ended is left alone.
    ///
    /// ```no_run
    /// # use job_manager::{Client, NewJob, NewUnit};
    /// let client = Client::create("jobs.db".as_ref())?;
    /// let mut job = NewJob::new("numbers", "square");
    /// job.key = Some("2026-11-26".to_owned());
    /// let units = (1..=1000).map(|n| NewUnit::new(&n).expect("a number has a form in JSON"));
    /// let submitted = client.submit(&job, units)?;
    /// println!("job {} is {}", submitted.job, submitted.status);
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// As for [`Client::create_job`], and [`ClientError::NotStarted`] when the job is there and its manager cannot be
    /// started; the same call starts it later.
    pub fn submit(&self, new: &NewJob, units: impl IntoIterator<Item = NewUnit>) -> Result<Submitted, ClientError> {
        self.start_created(self.create_job(new, units)?)
    }

    /// Submits a job whose units come from a source that may fail; see [`Client::submit`].
    ///
    /// ```no_run
    /// # use job_manager::{Client, NewJob, NewUnit};
    /// let client = Client::create("jobs.db".as_ref())?;
    /// let files = std::fs::read_dir("articles")?.map(|file| NewUnit::new(&file?.path()).map_err(std::io::Error::other));
    /// client.try_submit(&NewJob::new("word counts", "word-count"), files)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_submit<E>(
        &self,
        new: &NewJob,
        units: impl IntoIterator<Item = Result<NewUnit, E>>,
    ) -> Result<Submitted, ClientError>
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.start_created(self.try_create_job(new, units)?)
    }

    /// Has a job run that was just created, or found by its key; the second half of [`Client::submit`], for whoever has
    /// something to do in between.
    ///
    /// # Errors
    /// [`ClientError::NotStarted`] when its manager cannot be started.
    pub fn start_created(&self, created: Created) -> Result<Submitted, ClientError> {
        let Created { job, new, differs } = created;
        let started = self.start_unless_it_rests(job).map_err(|source| match source {
            ClientError::Store(_) => source,
            source if new => ClientError::NotStarted { job, source: source.into() },
            source => source,
        })?;
        Ok(Submitted { job, new, differs, started, status: self.job(job)?.status })
    }

    fn start_unless_it_rests(&self, job: JobId) -> Result<Option<Started>, ClientError> {
        let (rows, _) = self.look(job, Extent::Manager)?;
        let is_to_run = match rows.job.status {
            JobStatus::Created | JobStatus::Running => true,
            // Nobody asked for the pause.
            JobStatus::Paused => rows.was_stopped_by_signal(),
            _ => false,
        };
        if !is_to_run {
            return Ok(None);
        }
        match self.start_detached(job) {
            Err(
                ClientError::StillStopping { .. }
                | ClientError::StillCancelling { .. }
                // It has come there since it was looked at.
                | ClientError::NothingToRun { .. }
                | ClientError::AwaitsApproval { .. },
            ) => Ok(None),
            started => started.map(Some),
        }
    }
}
