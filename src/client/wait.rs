//! Waiting for the end of a job.

use std::time::{Duration, Instant};

use super::snapshot::{Snapshot, is_interrupted};
use super::{Client, ClientError};
use crate::model::{Job, JobId, JobStatus, StopRequest};
use crate::status::Health;
use crate::store::{Extent, JobRows};
use crate::sys::ProcessEnd;

/// Time between two looks at a job of which nothing was written.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Bounds of the time between two questions whether anything was written, which cost next to nothing.
const FIRST_STEP: Duration = Duration::from_millis(1);
const LAST_STEP: Duration = Duration::from_millis(20);
/// Share of the time waited so far by which the news of an end may be late: small jobs are not kept waiting, and large ones are
/// not looked at for every commit.
const LATE_BY: u32 = 16;
/// Bounds of the time between two looks on a server, where a question costs as much as a look and many may wait.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LAST_LOOK: Duration = Duration::from_millis(500);

/// Time between two looks at the other jobs of several.
const LOOK_AT_OTHERS_EVERY: Duration = Duration::from_secs(1);

/// How a job ended, or why it does not go on by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobOutcome {
    /// Every unit completed or was skipped.
    Completed,
    /// Some failed permanently, or the manager did.
    Failed,
    /// Ended on request.
    Cancelled,
    /// Stopped before its end.
    Paused,
    /// Waits for a person.
    AwaitingApproval,
    /// Its manager died; `resume` continues it.
    ManagerLost,
}

impl Client {
    /// Blocks until a job has ended, is paused, or has lost its manager.
    ///
    /// A job that was never started is waited for until somebody starts it.
    ///
    /// ```no_run
    /// # use job_manager::client::JobOutcome;
    /// # use job_manager::Client;
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// let outcome = client.wait(client.find_job("last")?, Some(std::time::Duration::from_secs(60)))?;
    /// assert_eq!(outcome, JobOutcome::Completed);
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// [`ClientError::WaitTimedOut`] after `timeout`; the job is not touched.
    pub fn wait(&self, job: JobId, timeout: Option<Duration>) -> Result<JobOutcome, ClientError> {
        let ended = self.wait_while(job, timeout, |_| true)?;
        Ok(ended.expect("only a look that says so gives up"))
    }

    /// Blocks until each of several jobs has ended or is paused, or one has lost its manager, and returns what was seen of them
    /// in this order.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// let jobs = [client.find_job("photos")?, client.find_job("films")?];
    /// for (job, outcome) in client.wait_all(&jobs, None)? {
    ///     println!("{job}: {outcome:?}");
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// [`ClientError::WaitTimedOut`] after `timeout`, with the job that was waited for then.
    pub fn wait_all(&self, jobs: &[JobId], timeout: Option<Duration>) -> Result<Vec<(JobId, JobOutcome)>, ClientError> {
        let begun = Instant::now();
        let mut seen = Vec::new();
        for (at, job) in jobs.iter().enumerate() {
            let (mut last_look, mut lost) = (None::<Instant>, Ok(None));
            let left = timeout.map(|timeout| timeout.saturating_sub(begun.elapsed()));
            let ended = self.wait_while(*job, left, |_| {
                if last_look.is_none_or(|look| look.elapsed() >= LOOK_AT_OTHERS_EVERY) {
                    last_look = Some(Instant::now());
                    lost = self.first_lost(&jobs[at + 1..]);
                }
                matches!(lost, Ok(None))
            });
            let ended = ended.map_err(|error| match (error, timeout) {
                // What was left of it for this one says nothing.
                (ClientError::WaitTimedOut { job, .. }, Some(waited)) => ClientError::WaitTimedOut { job, waited },
                (error, _) => error,
            })?;
            seen.extend(ended.map(|outcome| (*job, outcome)));
            seen.extend(lost?.map(|other| (other, JobOutcome::ManagerLost)));
            if seen.last().is_some_and(|(_, outcome)| *outcome == JobOutcome::ManagerLost) {
                break;
            }
        }
        Ok(seen)
    }

    fn first_lost(&self, jobs: &[JobId]) -> Result<Option<JobId>, ClientError> {
        for job in jobs {
            if self.outcome(*job)? == Some(JobOutcome::ManagerLost) {
                return Ok(Some(*job));
            }
        }
        Ok(None)
    }

    /// Like [`Client::wait`], and shows the job to `look` at every look; returns none as soon as that says false.
    pub fn wait_while(
        &self,
        job: JobId,
        timeout: Option<Duration>,
        mut look: impl FnMut(&Job) -> bool,
    ) -> Result<Option<JobOutcome>, ClientError> {
        let started = Instant::now();
        let mut manager = None;
        let is_file = !self.store().has_several_managers();
        loop {
            let version = if is_file { self.store().data_version()? } else { 0 };
            let (JobRows { job: row, .. }, manager_seen) = self.look(job, Extent::Running)?;
            if let Some(outcome) = outcome_of(&row, manager_seen.health) {
                look(&row);
                return Ok(Some(outcome));
            }
            if !look(&row) {
                return Ok(None);
            }
            let waited = started.elapsed();
            if let Some(timeout) = timeout
                && waited >= timeout
            {
                return Err(ClientError::WaitTimedOut { job, waited: timeout });
            }
            let look_every = if is_file { LOOK_EVERY } else { (waited / LATE_BY).clamp(FIRST_LOOK, LAST_LOOK) };
            let left = timeout.map_or(look_every, |timeout| timeout.saturating_sub(waited));
            let next_look = Instant::now() + look_every.min(left);
            let not_before = Instant::now() + (waited / LATE_BY).min(LOOK_EVERY);
            let step = (waited / LATE_BY).clamp(FIRST_STEP, LAST_STEP);
            loop {
                let now = Instant::now();
                let is_over = rest(&mut manager, manager_seen.pid, step.min(next_look.saturating_duration_since(now)));
                let now = Instant::now();
                let has_news =
                    || Ok::<_, ClientError>(is_file && now >= not_before && self.store().data_version()? != version);
                if is_over || now >= next_look || has_news()? {
                    break;
                }
            }
        }
    }

    /// Returns how a job ended; none when it goes on, or may be started yet.
    pub fn outcome(&self, job: JobId) -> Result<Option<JobOutcome>, ClientError> {
        let (rows, manager) = self.look(job, Extent::Running)?;
        Ok(outcome_of(&rows.job, manager.health))
    }
}

impl Snapshot {
    /// Returns how the job ended; none when it goes on, or may be started yet.
    pub fn outcome(&self) -> Option<JobOutcome> {
        outcome_of(&self.job, self.health)
    }
}

/// Pauses that long, or until the manager that runs the job has ended; returns `true` for its end, which is told once.
fn rest(manager: &mut Option<(u32, Option<ProcessEnd>)>, pid: Option<u32>, pause: Duration) -> bool {
    if let Some(pid) = pid.filter(|pid| manager.as_ref().is_none_or(|(known, _)| known != pid)) {
        *manager = Some((pid, ProcessEnd::of(pid)));
    }
    if let Some((_, Some(end))) = manager
        && pid.is_some()
    {
        match end.is_within(pause) {
            Ok(false) => return false,
            // What the row says now decides.
            Ok(true) => {
                *manager = pid.map(|pid| (pid, None));
                return true;
            }
            Err(_) => {}
        }
    }
    std::thread::sleep(pause);
    false
}

fn outcome_of(job: &Job, manager: Health) -> Option<JobOutcome> {
    match job.status {
        JobStatus::Completed => Some(JobOutcome::Completed),
        JobStatus::Failed => Some(JobOutcome::Failed),
        JobStatus::Cancelled => Some(JobOutcome::Cancelled),
        // Somebody cancels it at this moment.
        JobStatus::Paused | JobStatus::AwaitingApproval
            if job.stop_request == Some(StopRequest::Cancel) && manager == Health::Running =>
        {
            None
        }
        JobStatus::Paused => Some(JobOutcome::Paused),
        JobStatus::AwaitingApproval => Some(JobOutcome::AwaitingApproval),
        JobStatus::Running if is_interrupted(job.status, manager) => Some(JobOutcome::ManagerLost),
        JobStatus::Partial | JobStatus::Created | JobStatus::Running => None,
    }
}
