//! Stopping a manager gracefully.

use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use super::{AccessError, Client, ClientError, LimitError};
use crate::model::{JobId, JobStatus, StopRequest};
use crate::status::Health;
use crate::store::{Extent, Fault};
use crate::sys::signal_process;

/// How a manager is to stop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StopOptions {
    /// End running units at once; they go back to pending.
    pub now: bool,
    /// Time that running units are given; none means as long as they need.
    pub grace: Option<Duration>,
}

impl Client {
    /// Opens the database at `path`, which must exist, to stop its jobs: one in which a manager of an older version runs is
    /// left in its schema, and [`Client::stop_manager`] reaches that manager by a signal, which has no room for more than the
    /// request that it stops.
    ///
    /// ```no_run
    /// # use job_manager::Client;
    /// # use job_manager::client::StopOptions;
    /// let client = Client::open_to_stop("jobs.db".as_ref())?;
    /// client.stop_manager(client.find_job("last")?, StopOptions::default())?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn open_to_stop(path: &Path) -> Result<Client, ClientError> {
        match Self::open(path) {
            Err(refused @ ClientError::Access(AccessError::OlderManager { .. })) => {
                Self::open_to_read(path).map_err(|_| refused)
            }
            opened => opened,
        }
    }

    /// Asks the manager of a job to claim nothing more, let running units finish, and pause the job.
    ///
    /// The request is durable when this returns; the manager sees it within a fraction of a second, also where it cannot be
    /// seen from here. Called twice, the stronger request counts. Wait for the pause with [`Client::wait`].
    ///
    /// ```no_run
    /// # use job_manager::client::StopOptions;
    /// # use job_manager::Client;
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// let job = client.find_job("last")?;
    /// client.stop_manager(job, StopOptions::default())?;
    /// client.wait(job, None)?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// When no manager runs the job.
    pub fn stop_manager(&self, job: JobId, options: StopOptions) -> Result<(), ClientError> {
        if options.now && options.grace.is_some() {
            return Err(LimitError::NowOrLater.into());
        }
        let request = if options.now { StopRequest::StopNow } else { StopRequest::Stop };
        // One that ended in this very moment, by itself, has stopped.
        self.ask_manager(job, request, options.grace, None, "stop").map(|_| ())
    }

    /// Leaves a request for the manager of a job, unless it is certain that there is none; returns whether the job was still
    /// running by then.
    pub(super) fn ask_manager(
        &self,
        job: JobId,
        request: StopRequest,
        grace: Option<Duration>,
        reason: Option<&str>,
        operation: &'static str,
    ) -> Result<bool, ClientError> {
        let (rows, health) = self.look(job, Extent::Manager)?;
        match (rows.job.status, health.health) {
            (JobStatus::Running, _)
                if request != StopRequest::Cancel && rows.job.stop_request == Some(StopRequest::Cancel) =>
            {
                return Err(ClientError::StillCancelling { job });
            }
            // The request goes by the database, whether or not the process can be seen from here.
            (JobStatus::Running, Health::Running | Health::Unknown) => {}
            (JobStatus::Running, Health::Stopped | Health::NotStarted) => return Err(ClientError::Interrupted { job }),
            (status, _) => return Err(ClientError::WrongStatus { operation, job, status }),
        }
        let asked = self.store().request_stop(job, request, grace, reason);
        match asked {
            Ok(is_asked) => Ok(is_asked),
            // A database that cannot be written cannot carry the request: a signal can, to exactly that process.
            // All it can say is to stop, so that other requests fail.
            Err(error)
                if request == StopRequest::Stop
                    && health.pid.is_some()
                    && matches!(error.fault(), Some(Fault::Full | Fault::Busy | Fault::ReadOnly)) =>
            {
                match rows.record?.map(|record| signal_process(&record.identity, Signal::TERM)) {
                    Some(Ok(true)) => Ok(true),
                    _ => Err(error.into()),
                }
            }
            Err(error) => Err(error.into()),
        }
    }
}
