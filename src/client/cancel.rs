//! Ending a job, or some of its units, permanently.

use std::io::Write;
use std::time::{Duration, Instant};

use super::{AskedToEnd, Client, ClientError, UnitsSwept};
use crate::files::{How, create_private_dir, open_private};
use crate::handler::JobContext;
use crate::model::{JobId, JobStatus, KillThen, Limits, Seq, StopRequest, Timestamp, UnitFilter, UnitStatus};
use crate::recovery::{Leftovers, RecoveryError};
use crate::store::{JobRows, StoreError};
use crate::sys::{SlotNotes, own_identity};

/// Looks for units that came back to pending, or began, while others were cancelled.
const LOOKS: usize = 8;

/// What the cancellation of many units came to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnitsCancelled {
    /// Units that were pending, and are cancelled.
    pub waiting: UnitsSwept,
    /// Units that run, and are cancelled when their attempt has ended, unless it completes before.
    pub running: Vec<AskedToEnd>,
}

/// Time in which a manager that has taken a job's lock writes that it runs the job.
const START_TIME: Duration = Duration::from_secs(10);

impl Client {
    /// Cancels a job: its running units are ended, and every unit that has not ended is cancelled.
    ///
    /// A running manager does so within a fraction of a second of the request, plus the time its units take to end;
    /// wait for it with [`Client::wait`]. Without a manager it has happened when this returns. Where it cannot be told
    /// whether one lives, the request is left for it.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// client.cancel_job(client.find_job("last")?, "not needed any more")?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn cancel_job(&self, job: JobId, reason: &str) -> Result<(), ClientError> {
        let asked = Instant::now();
        loop {
            let (JobRows { job: row, .. }, health) = self.without_leaving_manager(job)?;
            if row.status.is_terminal() {
                return Err(ClientError::WrongStatus { operation: "cancel", job, status: row.status });
            }
            let cancelled = if row.status == JobStatus::Running && health.may_run() {
                self.ask_manager(job, StopRequest::Cancel, None, Some(reason), "cancel")
            } else {
                self.cancel_without_manager(job, reason).map(|()| true)
            };
            match cancelled {
                Ok(true) => return Ok(()),
                // A manager has just begun, left the job or died.
                Ok(false)
                | Err(
                    ClientError::ManagerRuns { .. }
                    | ClientError::WrongStatus { .. }
                    | ClientError::Interrupted { .. }
                    | ClientError::Store(StoreError::ManagedElsewhere { .. }),
                ) if asked.elapsed() < START_TIME => {}
                Ok(false) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// Takes down that a job is to be cancelled, durable when this returns, for whoever cannot wait for [`Client::cancel_job`] to cancel very
    /// many units. Nobody starts or approves the job from then on; a running manager cancels it, and where there is none
    /// `cancel_job` does, also if whoever called it first has died. Twice is as once.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// let job = client.find_job("last")?;
    /// client.request_cancel(job, "not needed any more")?;
    /// client.cancel_job(job, "not needed any more")?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// [`ClientError::WrongStatus`] when it has ended.
    pub fn request_cancel(&self, job: JobId, reason: &str) -> Result<(), ClientError> {
        let row = self.store().job(job)?;
        if row.status.is_terminal() {
            return Err(ClientError::WrongStatus { operation: "cancel", job, status: row.status });
        }
        match row.stop_request {
            // Without a write, which whoever cancels it may hold up.
            Some(StopRequest::Cancel) => Ok(()),
            _ => Ok(self.store().request_cancel(job, reason)?),
        }
    }

    fn cancel_without_manager(&self, job: JobId, reason: &str) -> Result<(), ClientError> {
        let _lock = self.lock_idle_job(job, "cancel")?;
        // Read under the lock: nothing begins to run it from here on.
        let row = self.store().job(job)?;
        if row.status == JobStatus::Running || !self.store().former_databases(job)?.is_empty() {
            self.recover_units(job)?;
        }
        Ok(self.store().cancel_idle_job(job, reason, Timestamp::now())?)
    }

    /// Does what the next manager would do first about the units of a dead one: what had ended has its end. The caller holds
    /// the job's lock.
    fn recover_units(&self, job: JobId) -> Result<(), ClientError> {
        let (leftovers, context, notes) = self.end_leftovers(job)?;
        if !leftovers.are_gone() {
            return Err(ClientError::OrphansRemain { job });
        }
        // Those who would be told of it are callbacks and hooks of a manager.
        let now = Timestamp::now();
        let recovered = leftovers.record(&mut self.store(), &context, &notes, now).map_err(failed(&context))?;
        if recovered.unreadable.is_empty() {
            return Ok(());
        }
        let log = context.files.log();
        let lines: String = recovered.unreadable.iter().map(|line| format!("{now} WARN  {line}\n")).collect();
        let written = open_private(&log, How::Append).and_then(|mut file| file.write_all(lines.as_bytes()));
        written.map_err(ClientError::files("write to", log))
    }

    /// Ends the processes that a dead manager left behind; the caller holds the job's lock.
    pub(super) fn end_leftovers(&self, job: JobId) -> Result<(Leftovers, JobContext, SlotNotes), ClientError> {
        let files = self.job_files(job);
        create_private_dir(&files.slots()).map_err(ClientError::files("create", files.slots()))?;
        let notes =
            SlotNotes::open(&files.notes(), Limits::MAX_WORKERS).map_err(ClientError::files("open", files.notes()))?;
        let mut store = self.store();
        let who = own_identity().map_err(ClientError::files("identify", "/proc/self"))?;
        let lease = store.take_over(job, &who)?;
        let context = JobContext::of(&store.job(job)?, store.spec(job)?, files, store.file().clone());
        let leftovers = Leftovers::end(&mut store, lease, &context, &notes).map_err(failed(&context))?;
        Ok((leftovers, context, notes))
    }

    /// Cancels one unit; one that runs is ended by its manager within a fraction of a second and what it takes to end.
    ///
    /// ```no_run
    /// # use job_manager::model::Seq;
    /// # use job_manager::Client;
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// client.cancel_unit(client.find_job("last")?, Seq(17), "not needed any more")?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn cancel_unit(&self, job: JobId, seq: Seq, reason: &str) -> Result<(), ClientError> {
        let asked = Instant::now();
        loop {
            let changed = self.store().cancel_pending_units(job, &UnitFilter::one(seq), reason, Timestamp::now())?;
            if changed == 1 {
                return Ok(());
            }
            match self.kill_unit(job, seq, KillThen::Cancel, reason) {
                // Between two attempts in the meantime.
                Err(ClientError::UnitIdle { status: UnitStatus::Pending, .. }) if asked.elapsed() < START_TIME => {}
                Err(ClientError::UnitIdle { .. }) => return Err(ClientError::NoUnitFits { job }),
                asked => return asked,
            }
        }
    }

    /// Cancels the units that a filter selects: pending ones at once, and those that run are ended by their managers, as
    /// [`Client::cancel_unit`] says. No longer than `budget` is looked for pending units by their item.
    ///
    /// ```no_run
    /// # use job_manager::model::UnitFilter;
    /// # use job_manager::Client;
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// let drafts = UnitFilter { pattern: Some("draft".parse()?), ..UnitFilter::all() };
    /// client.cancel_units(client.find_job("last")?, &drafts, "not needed any more", None)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ClientError::NoUnitFits`] when the filter selects none that is pending or runs, and [`ClientError::Interrupted`] when
    /// the manager of those that run is gone; nothing is changed then.
    pub fn cancel_units(
        &self,
        job: JobId,
        filter: &UnitFilter,
        reason: &str,
        budget: Option<Duration>,
    ) -> Result<UnitsCancelled, ClientError> {
        let mut waiting = UnitsSwept { changed: 0, searched_through: None };
        let mut running = self.ask_running_units(job, filter, KillThen::Cancel, reason)?;
        for _ in 0..LOOKS {
            let cancel =
                |filter: &UnitFilter| Ok(self.store().cancel_pending_units(job, filter, reason, Timestamp::now())?);
            match self.sweep_units(job, filter, budget, cancel) {
                Ok(swept) => {
                    waiting = UnitsSwept { changed: waiting.changed + swept.changed, ..swept };
                }
                Err(ClientError::NoUnitFits { .. }) => {}
                Err(error) => return Err(error),
            }
            // Some may have begun before they were found pending.
            let mut begun = self.ask_running_units(job, filter, KillThen::Cancel, reason)?;
            begun.retain(|unit| !running.contains(unit));
            if begun.is_empty() || waiting.searched_through.is_some() {
                running.append(&mut begun);
                break;
            }
            running.append(&mut begun);
        }
        if waiting.changed == 0 && waiting.searched_through.is_none() && running.is_empty() {
            return Err(ClientError::NoUnitFits { job });
        }
        Ok(UnitsCancelled { waiting, running })
    }
}

pub(super) fn failed(job: &JobContext) -> impl FnOnce(RecoveryError) -> ClientError {
    let path = job.files.path().to_owned();
    |error| match error {
        RecoveryError::Store(error) => error.into(),
        RecoveryError::System { operation, source } => ClientError::Files { operation, path, source },
    }
}
