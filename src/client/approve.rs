//! Deciding about a job that waits for an approval.

use std::collections::HashSet;

use super::error::LimitError;
use super::meters::check_meters;
use super::{Client, ClientError, Started};
use crate::model::{Budget, Job, JobId, JobStatus, Limits, Sample, Seq, StopRequest};
use crate::store::{MeterRefused, StoreError};

/// How far an approval lets a job go on.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Approval {
    /// So many more units run before the job waits for another approval; all without it. Of a job with a sample they are drawn at
    /// random too.
    pub next: Option<u32>,
    /// Budgets from now on, by the names of meters.
    pub budgets: Vec<(String, Budget)>,
}

impl Client {
    /// Lets a job go on whose first units have ended, and starts it.
    ///
    /// # Errors
    /// [`ClientError::WrongStatus`] when it does not wait for that.
    pub fn approve_job(&self, job: JobId) -> Result<Started, ClientError> {
        self.approve_job_with(job, &Approval::default())
    }

    /// Lets a job go on whose first units have ended, all of it or for some more units, within other budgets maybe, and starts it.
    ///
    /// ```no_run
    /// # use job_manager::client::{Approval, budget};
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// let mut approval = Approval::default();
    /// approval.next = Some(500);
    /// approval.budgets.push(("usd".to_owned(), budget("60")?));
    /// client.approve_job_with(client.find_job("letters")?, &approval)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ClientError::WrongStatus`] when it does not wait for that, [`MeterRefused::NoMeter`] for a budget of what it does not count,
    /// [`StartError::OverBudget`](super::StartError::OverBudget) when no unit could start, [`ClientError::CancelUnfinished`] when it is to be
    /// cancelled; nothing is changed then.
    pub fn approve_job_with(&self, job: JobId, approval: &Approval) -> Result<Started, ClientError> {
        let row = self.expect_waiting(job, "approve")?;
        if row.stop_request == Some(StopRequest::Cancel) {
            return Err(ClientError::CancelUnfinished { job });
        }
        // A refused start must not leave the job approved.
        self.refuse_other_owner()?;
        self.refuse_without_secrets(&row)?;
        let mut after = row.clone();
        self.raise(&mut after, &approval.budgets)?;
        self.refuse_over_budget(&after)?;
        self.widen(&mut after, approval.next)?;
        let Limits { canary, sample, .. } = after.limits;
        self.store().approve(job, |limits| {
            (limits.canary, limits.sample) = (canary, sample.clone());
            for (name, budget) in &approval.budgets {
                limits.meter(name).budget = Some(budget.clone());
            }
        })?;
        self.start_approved(job)
    }

    /// Cancels a job whose first units have ended; the units that have not run are cancelled.
    ///
    /// # Errors
    /// [`ClientError::WrongStatus`] when it does not wait for a decision.
    pub fn reject_job(&self, job: JobId, reason: &str) -> Result<(), ClientError> {
        self.expect_waiting(job, "reject")?;
        self.cancel_job(job, reason)
    }

    fn expect_waiting(&self, job: JobId, operation: &'static str) -> Result<Job, ClientError> {
        let row = self.store().job(job)?;
        match row.status {
            JobStatus::AwaitingApproval => Ok(row),
            status => Err(ClientError::WrongStatus { operation, job, status }),
        }
    }

    /// Sets budgets of meters that the job has.
    fn raise(&self, row: &mut Job, budgets: &[(String, Budget)]) -> Result<(), ClientError> {
        for (name, budget) in budgets {
            let Some(meter) = row.limits.meters.iter_mut().find(|meter| meter.name == *name) else {
                let known = row.limits.meters.iter().map(|meter| meter.name.clone()).collect();
                return Err(StoreError::from(MeterRefused::NoMeter { job: row.id, name: name.clone(), known }).into());
            };
            meter.budget = Some(budget.clone());
        }
        if budgets.is_empty() {
            return Ok(());
        }
        check_meters(&row.limits, &row.handler, &self.spec(row.id)?)
    }

    /// Lets so many units that have not ended be those that run before the next approval, or all. Those that an approval before
    /// has let run and that have not ended are among them: who approves again after a crash approves nothing twice.
    fn widen(&self, row: &mut Job, next: Option<u32>) -> Result<(), ClientError> {
        let all = (None, None);
        let pending = row.progress.pending.unsigned_abs();
        let limits = &mut row.limits;
        (limits.canary, limits.sample) = match (next, limits.sample.take()) {
            (None, _) => all,
            (Some(next), _) if u64::from(next) >= pending => all,
            (Some(next), None) => {
                let last = self.pending_at(row.id, &[u64::from(next)], &HashSet::new())?;
                (last.first().and_then(|seq| u32::try_from(seq.0).ok()), None)
            }
            (Some(next), Some(mut sample)) => {
                let waiting = self.store().pending_of(row.id, &sample.chosen)?;
                let size = usize::try_from(next).unwrap_or(usize::MAX).saturating_sub(waiting.len());
                let places = sample.draw(size, pending - waiting.len() as u64);
                let more = self.pending_at(row.id, &places, &waiting.into_iter().collect())?;
                sample.chosen.extend(more);
                sample.chosen.sort_unstable();
                let canary = u32::try_from(sample.chosen.len()).unwrap_or(u32::MAX);
                refuse_large_sample(canary)?;
                (Some(canary), Some(sample))
            }
        };
        Ok(())
    }

    /// Returns the numbers of the pending units of a job at those places, counted from 1 without some units.
    fn pending_at(&self, job: JobId, places: &[u64], without: &HashSet<Seq>) -> Result<Vec<Seq>, ClientError> {
        const PAGE: i64 = 10_000;
        let (mut found, mut place, mut after) = (Vec::new(), 0, Seq(0));
        let mut wanted = places.iter().peekable();
        while wanted.peek().is_some() {
            let page = self.store().pending_seqs(job, after, PAGE)?;
            let Some(last) = page.last() else { break };
            after = *last;
            for seq in page.into_iter().filter(|seq| !without.contains(seq)) {
                place += 1;
                if wanted.next_if(|wanted| **wanted == place).is_some() {
                    found.push(seq);
                }
            }
        }
        Ok(found)
    }
}

/// Refuses first units that nobody could draw.
pub(super) fn check_sample(limits: &Limits) -> Result<(), LimitError> {
    match (&limits.sample, limits.canary) {
        (Some(_), None) => Err(LimitError::SampleOfNothing),
        (Some(_), Some(canary)) => refuse_large_sample(canary),
        (None, _) => Ok(()),
    }
}

fn refuse_large_sample(size: u32) -> Result<(), LimitError> {
    if size > Sample::MOST { Err(LimitError::SampleTooLarge { size, most: Sample::MOST }) } else { Ok(()) }
}
