//! Mending what dead managers left behind.

use super::{Client, ClientError, Snapshot, Started};
use crate::model::{JobFilter, JobId, JobStatus, Unreadable};
use crate::status::{Health, Reason};

impl Client {
    /// Returns the jobs whose managers died, or were sent a signal, as at the shutdown of a machine; oldest first. A job
    /// that somebody paused is none of them; one that cannot be read may be.
    pub fn interrupted_jobs(&self) -> Result<Vec<JobId>, ClientError> {
        let by_signal = |seen: &Snapshot| seen.job.status == JobStatus::Running || seen.stopped_by_signal;
        self.jobs_to_continue(|seen| seen.is_damaged || by_signal(seen) && seen.may_be_over())
    }

    /// Returns those of the running and the paused jobs that are chosen, and those that cannot be read, oldest first: why one
    /// cannot is said when that one is continued.
    pub(super) fn jobs_to_continue(&self, is_chosen: impl Fn(&Snapshot) -> bool) -> Result<Vec<JobId>, ClientError> {
        let statuses = vec![JobStatus::Running, JobStatus::Paused];
        let found = self.whole_snapshots(&JobFilter { statuses, ..JobFilter::default() })?;
        let unreadable = found.unreadable.iter().filter_map(Unreadable::job).rev();
        Ok(unreadable.chain(found.jobs.iter().rev().filter(|seen| is_chosen(seen)).map(|seen| seen.job.id)).collect())
    }

    /// Returns the jobs that were created and never started, oldest first: those of [`create_job_in`](crate::client::create_job_in) whose
    /// process died before the start, and those that somebody holds back.
    ///
    /// A service asks for them at its start, and starts its own.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// for job in client.unstarted_jobs()? {
    ///     if client.job(job)?.handler == "thumbnail" {
    ///         client.start_detached(job)?;
    ///     }
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn unstarted_jobs(&self) -> Result<Vec<JobId>, ClientError> {
        let jobs = self.store().jobs(&JobFilter { statuses: vec![JobStatus::Created], ..JobFilter::default() })?;
        // Why one cannot be read is said when that one is started.
        let unreadable = jobs.unreadable.iter().filter_map(Unreadable::job).rev();
        Ok(unreadable.chain(jobs.jobs.iter().rev().map(|job| job.id)).collect())
    }

    /// Takes the managers of a host for dead that are to be so for certain, of one job or of all, and gives their units to other hosts
    /// without waiting for the ends of their leases. Returns the jobs that the host had a part in.
    ///
    /// A manager that lives after all finds out within moments, ends its units and writes nothing more; until then both may run one.
    /// No manager is started, and nothing is done in a database in a file, which is used on one host.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// for job in client.give_up_host("node7", None)? {
    ///     println!("other hosts go on with job {job}");
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn give_up_host(&self, host: &str, job: Option<JobId>) -> Result<Vec<JobId>, ClientError> {
        let mut given_up = Vec::new();
        let jobs = self.store().jobs_of_host(host)?;
        for found in jobs {
            if job.is_none_or(|job| job == found) && self.store().lose_host(found, host)? {
                given_up.push(found);
            }
        }
        Ok(given_up)
    }

    /// Takes an interrupted job up where its manager left it: ends the processes of its units, gives the units back, and
    /// goes on.
    ///
    /// Unlike [`Client::resume_job`] it keeps a request that the dead manager did not fulfil: a job that was being stopped
    /// or cancelled when the machine went down is paused or cancelled, not run. Where no manager can be started, the
    /// processes are ended all the same, before this returns the error.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// for job in client.interrupted_jobs()? {
    ///     client.recover_job(job)?;
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// When the job is not interrupted, and when its manager cannot be started.
    pub fn recover_job(&self, job: JobId) -> Result<Started, ClientError> {
        let (rows, health) = self.without_leaving_manager(job)?;
        let row = &rows.job;
        match (row.status, health.health) {
            // Of this machine before it booted: whoever begins joins what other hosts do.
            (JobStatus::Running, Health::Running) if health.reason == Some(Reason::HostRebooted) => {}
            (JobStatus::Running, Health::Running) => return Ok(Started::Already { pid: health.pid }),
            (JobStatus::Running, Health::Stopped | Health::NotStarted) => {}
            // Its lease is over: whoever begins takes over.
            (JobStatus::Running, Health::Unknown) if !health.may_run() => {}
            (JobStatus::Paused, Health::Stopped) if rows.was_stopped_by_signal() => {}
            (JobStatus::Running, Health::Unknown) => {
                return Err(self.health_unknown(job, health.reason));
            }
            (status, _) => return Err(ClientError::WrongStatus { operation: "recover", job, status }),
        }
        self.refuse_other_owner()?;
        self.refuse_without_secrets(row).and_then(|()| self.launch(row, rows.known_record(), None)).inspect_err(|_| {
            // A manager that does begin in this moment has the lock, and ends them itself.
            if let Ok(_lock) = self.lock_idle_job(job, "recover") {
                // The first error says why the job does not go on; what lives on is found by whoever starts it next.
                let _ = self.end_leftovers(job);
            }
        })
    }
}
