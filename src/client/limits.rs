//! Changing the bounds of a job, also while it runs, and deciding about one that waits for an approval.

use super::conditions::check_conditions;
use super::create::refuse_workers_out_of_range;
use super::{Client, ClientError, Started};
use crate::handler::check_templates;
use crate::model::{JobId, JobStatus, Limits};

impl Client {
    /// Changes the limits of a job that has not ended and returns what they are then.
    ///
    /// A running manager takes them up within a fraction of a second: attempts that start from then on have them, and
    /// those under way keep the ones they started with. A manager that starts later has them from its start.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// client.set_limits(client.find_job("last")?, |limits| limits.workers = 16)?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// When the job has ended, would have no workers or too many, or would wait for a disk that is not there; nothing is
    /// changed then.
    pub fn set_limits(&self, job: JobId, change: impl FnOnce(&mut Limits)) -> Result<Limits, ClientError> {
        let mut wrong = None;
        let limits = self.store().change_limits(job, |limits| {
            let before = limits.clone();
            change(limits);
            // A disk that was there when the job was created may be what it waits for.
            let start = (limits.start != before.start).then(|| check_conditions(&limits.start));
            let checked = start.unwrap_or(Ok(())).and_then(|()| Ok(check_templates(limits)?));
            if let Err(error) = checked.and_then(|()| refuse_workers_out_of_range(limits.workers)) {
                wrong = Some(error);
                *limits = before;
            }
        })?;
        wrong.map_or(Ok(limits), Err)
    }

    /// Lets a job go on whose first units have ended, and starts it.
    ///
    /// # Errors
    /// [`ClientError::WrongStatus`] when it does not wait for that.
    pub fn approve_job(&self, job: JobId) -> Result<Started, ClientError> {
        self.expect_waiting(job, "approve")?;
        // A refused start must not leave the job approved.
        self.refuse_other_owner()?;
        self.refuse_without_secrets(&self.job(job)?)?;
        self.store().change_limits(job, |limits| limits.canary = None)?;
        self.start_detached(job)
    }

    /// Cancels a job whose first units have ended; the units that have not run are cancelled.
    ///
    /// # Errors
    /// [`ClientError::WrongStatus`] when it does not wait for a decision.
    pub fn reject_job(&self, job: JobId, reason: &str) -> Result<(), ClientError> {
        self.expect_waiting(job, "reject")?;
        self.cancel_job(job, reason)
    }

    fn expect_waiting(&self, job: JobId, operation: &'static str) -> Result<(), ClientError> {
        match self.store().job(job)?.status {
            JobStatus::AwaitingApproval => Ok(()),
            status => Err(ClientError::WrongStatus { operation, job, status }),
        }
    }
}
