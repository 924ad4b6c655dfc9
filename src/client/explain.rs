//! One answer to "why is nothing happening?".
//!
//! What is looked at is one [`Snapshot`]; [`job::explain`] and [`unit::explain`] judge it as pure functions, the most likely
//! obstacle first. What a status says that a job waits for, and when it may end, follows from the same judgement.

mod explanation;
mod job;
mod next_step;
mod observed;
mod raise;
#[cfg(test)]
mod tests;
mod under_way;
mod unit;

pub use self::explanation::Explanation;
pub use self::next_step::NextStep;
use self::observed::{ObservedGroup, ObservedUnit};
use super::snapshot::Snapshot;
use super::{Client, ClientError};
use crate::model::{JobId, Seq, UnitId, UnitStatus};

impl Client {
    /// Says why nothing happens, or what does: for a job, or for one of its units.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// let answer = client.explain(client.find_job("last")?, None)?;
    /// println!("{} ({})", answer.sentence, answer.cause);
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn explain(&self, job: JobId, seq: Option<Seq>) -> Result<Explanation, ClientError> {
        let seen = self.snapshot(job)?;
        match seq {
            None => Ok(seen.explanation()),
            Some(seq) => Ok(unit::explain(&seen, &self.observe_unit(&seen, seq)?)),
        }
    }

    fn observe_unit(&self, seen: &Snapshot, seq: Seq) -> Result<ObservedUnit, ClientError> {
        let job = seen.job.id;
        let unit = self.unit(job, seq)?;
        let last_cause = self.store().attempts(UnitId::new(job, seq))?.last().map(|attempt| attempt.cause);
        let is_queued = unit.status == UnitStatus::Pending && unit.not_before.is_none_or(|due| due <= seen.now);
        let ahead =
            if is_queued { self.store().units_ahead(UnitId::new(job, seq), unit.not_before, seen.now)? } else { 0 };
        let group = match unit.group.as_deref().filter(|_| is_queued) {
            Some(name) => self.observe_group(job, name)?,
            None => None,
        };
        Ok(ObservedUnit { unit, last_cause, ahead, group })
    }

    fn observe_group(&self, job: JobId, name: &str) -> Result<Option<ObservedGroup>, ClientError> {
        let group = self.store().group(job, name)?;
        let running = self.store().running_in_group(job, name)?;
        Ok(group.map(|group| ObservedGroup { group, running }))
    }
}

impl Snapshot {
    /// Says why nothing happens in the job, or what does.
    pub fn explanation(&self) -> Explanation {
        job::explain(self)
    }
}
