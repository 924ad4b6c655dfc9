//! One answer to "why is nothing happening?".
//!
//! Everything that is looked at is gathered here, at one moment, without writing anything; [`job::explain`] and
//! [`unit::explain`] then judge it as pure functions, the most likely obstacle first.

mod explanation;
mod job;
mod next_step;
mod observed;
#[cfg(test)]
mod tests;
mod unit;

pub use self::explanation::Explanation;
pub use self::next_step::NextStep;
use self::observed::{Observed, ObservedUnit};
use super::conditions::waits_for_time;
use super::{Client, ClientError};
use crate::model::{JobId, JobStatus, Seq, Timestamp, UnitId, UnitStatus};
use crate::status::Health;

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
        let seen = self.observe(job)?;
        match seq {
            None => Ok(job::explain(&seen)),
            Some(seq) => Ok(unit::explain(&seen, &self.observe_unit(&seen, seq)?)),
        }
    }

    fn observe(&self, job: JobId) -> Result<Observed, ClientError> {
        let before = self.store().job(job)?;
        let health = self.manager_health(job)?;
        // The manager may have ended in the proper way between the two looks.
        let job = if before.status == JobStatus::Running && health.health == Health::Stopped {
            self.store().job(job)?
        } else {
            before
        };
        let record = self.store().manager_record(job.id)?;
        let now = Timestamp::now();
        let runs = job.status == JobStatus::Running && health.health == Health::Running;
        let silence = record.as_ref().and_then(|record| record.heartbeat_at).map(|at| now.since(at));
        let mut seen = Observed {
            halt_reason: record.as_ref().and_then(|record| record.halt_reason.clone()),
            stopped_by_signal: record.as_ref().is_some_and(|record| record.stopped_by_signal),
            health: health.health,
            reason: health.reason,
            pid: health.pid,
            silence,
            disk_is_full: runs && silence.is_some_and(|age| age > super::status::SILENCE) && self.disk_is_full(),
            writer: None,
            rate: record.as_ref().and_then(|record| record.rate_per_second).filter(|_| runs),
            waits: record.as_ref().and_then(|record| record.waits.clone()).filter(|_| runs),
            error: record.and_then(|record| record.error),
            next_due: None,
            waiting: 0,
            oldest: None,
            machine: None,
            now,
            job,
        };
        if runs && silence.is_some_and(|age| age > super::status::SILENCE) {
            seen.writer = self.writer_beside(seen.pid);
        }
        if runs {
            seen.waits = waits_for_time(&seen.job, now).or(seen.waits);
            seen.machine = self.machine_workers()?;
            let mut store = self.store();
            seen.next_due = store.next_due(seen.job.id, Seq::MAX)?;
            seen.waiting = store.waiting_units(seen.job.id, now)?;
            seen.oldest = store.oldest_running(seen.job.id)?;
        }
        Ok(seen)
    }

    fn observe_unit(&self, seen: &Observed, seq: Seq) -> Result<ObservedUnit, ClientError> {
        let job = seen.job.id;
        let unit = self.unit(job, seq)?;
        let last_cause = self.attempts(job, seq)?.last().map(|attempt| attempt.cause);
        let is_queued = unit.status == UnitStatus::Pending && unit.not_before.is_none_or(|due| due <= seen.now);
        let ahead =
            if is_queued { self.store().units_ahead(UnitId::new(job, seq), unit.not_before, seen.now)? } else { 0 };
        Ok(ObservedUnit { unit, last_cause, ahead })
    }
}
