//! Changing the bounds of a job, also while it runs.

use std::time::Duration;

use super::conditions::check_conditions;
use super::create::{check_times, refuse_workers_out_of_range};
use super::error::LimitError;
use super::groups::check_changed_groups;
use super::later::check_later;
use super::lease::check_changed_lease;
use super::memory::check_memory;
use super::meters::{check_meters, check_reserves};
use super::{Client, ClientError};
use crate::handler::check_templates;
use crate::model::{JobId, Limits, Seq, Timestamp};
use crate::store::is_on_server;

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
    /// When the job has ended, would have no workers or too many, or would wait for a disk that is not there, when its lease would be too short, and when its
    /// units may run at most once and would run again; nothing is changed then.
    pub fn set_limits(&self, job: JobId, mut change: impl FnMut(&mut Limits)) -> Result<Limits, ClientError> {
        let created = self.store().creation(job)?.map(|creation| creation.limits);
        let path = self.path();
        let (mut wrong, mut is_bounded, on_server) = (None, false, is_on_server(&path));
        let is_heard = self.is_heard(job)?;
        let handler = self.store().job(job)?.handler;
        // Settings that cannot be read keep nobody from changing other limits.
        let spec = self.spec(job).unwrap_or_default();
        let limits = self.store().change_limits(job, |limits| {
            let before = limits.clone();
            change(limits);
            // A disk that was there when the job was created may be what it waits for.
            let start = (limits.start != before.start).then(|| check_conditions(&limits.start));
            let checked = start
                .unwrap_or(Ok(()))
                .and_then(|()| Ok(check_templates(limits)?))
                .and_then(|()| match limits.meters == before.meters {
                    true => Ok(()),
                    false => check_meters(limits, &handler, &spec).and(Ok(check_reserves(Some(&before), limits)?)),
                })
                .and_then(|()| refuse_workers_out_of_range(limits.workers))
                .and_then(|()| check_changed_lease(on_server, &before, limits))
                .and_then(|()| match limits.idle_timeout {
                    Some(_) if !is_heard && before.idle_timeout.is_none() => Err(LimitError::IdleUnheard.into()),
                    _ => Ok(()),
                })
                .and_then(|()| {
                    let is_new = (before.timeout, before.idle_timeout) != (limits.timeout, limits.idle_timeout);
                    if is_new { Ok(check_times(limits)?) } else { Ok(()) }
                })
                .and_then(|()| {
                    let is_new = (before.memory, before.max_attempts) != (limits.memory, limits.max_attempts);
                    if is_new { Ok(check_memory(&path, &handler, limits)?) } else { Ok(()) }
                })
                .and_then(|()| {
                    // Fewer workers than were to run at the least may be asked for.
                    let is_new = (before.adapt, before.max_later) != (limits.adapt, limits.max_later);
                    if is_new { Ok(check_later(limits)?) } else { Ok(()) }
                })
                .and_then(|()| check_changed_groups(&before, limits))
                .and_then(|()| keep_promise(job, created.as_ref(), &before, limits));
            is_bounded = before.max_later != limits.max_later;
            wrong = checked.err();
            if wrong.is_some() {
                *limits = before;
            }
        })?;
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        if let Some(most) = limits.max_later.filter(|_| is_bounded) {
            self.bound_waits(job, most)?;
        }
        Ok(limits)
    }

    /// Has units that wait for longer than they may from now on be tried at once.
    fn bound_waits(&self, job: JobId, most: Duration) -> Result<(), ClientError> {
        let mut after = Some(Seq(0));
        while let Some(last) = after {
            after = self.store().bound_waits(job, last, most, Timestamp::now())?;
        }
        Ok(())
    }

    /// Lets the units of a job start again before the time that one of them asked for, as a unit does that says for all of them, or for those
    /// of its group, when the next may start; returns `false` if none had. Units that wait for times of their own wait on.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// client.lift_hold(client.find_job("last")?)?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn lift_hold(&self, job: JobId) -> Result<bool, ClientError> {
        Ok(self.store().lift_hold(job, Timestamp::now())?)
    }

    /// Changes how many units of a job that has not ended run at the same time under all of its managers together, and returns its limits.
    ///
    /// The managers divide the workers among themselves, and again when one joins or leaves: one that joins waits until the others have
    /// given some up. In a database in a file a job has one manager, which has all of them.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// client.set_total_workers(client.find_job("last")?, 64)?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Client::set_limits`].
    pub fn set_total_workers(&self, job: JobId, workers: usize) -> Result<Limits, ClientError> {
        let has_several = self.store().has_several_managers();
        self.set_limits(job, |limits| {
            limits.set_workers(workers);
            if has_several {
                // No manager has more than it could have alone.
                limits.workers = workers.min(Limits::MAX_WORKERS);
                limits.total_workers = Some(workers);
            }
        })
    }
}

impl Client {
    /// Returns `true` if the manager of a job hears anything of its units: a handler says what it says to that.
    fn is_heard(&self, job: JobId) -> Result<bool, ClientError> {
        let row = self.store().job(job)?;
        // Settings that cannot be read are refused by whoever starts the job.
        Ok(self.command_settings(&row).ok().flatten().is_none_or(|spec| spec.is_heard()))
    }
}

/// Refuses limits under which units would run again that may run at most once; a job that an older version has made promises
/// what its limits say now.
fn keep_promise(job: JobId, created: Option<&Limits>, before: &Limits, after: &Limits) -> Result<(), ClientError> {
    let is_promised = before.is_at_most_once() && created.is_none_or(Limits::is_at_most_once);
    if is_promised && !after.is_at_most_once() { Err(ClientError::AtMostOnce { job }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NewJob, NewUnit, OnInterrupt};

    fn job_with(client: &Client, mut change: impl FnMut(&mut Limits)) -> JobId {
        let mut new = NewJob::new("job", "handler");
        change(&mut new.limits);
        client.create_job(&new, [NewUnit::new(&1).unwrap()]).unwrap().job
    }

    #[test]
    fn fault_254_no_change_of_limits_lets_a_unit_run_again_that_may_run_at_most_once() {
        let dir = tempfile::tempdir().unwrap();
        let client = Client::create(&dir.path().join("jobs.db")).unwrap();
        let job = job_with(&client, Limits::set_at_most_once);

        let more = client.set_limits(job, |limits| limits.max_attempts = 4);
        let again = client.set_limits(job, |limits| limits.on_interrupt = OnInterrupt::Retry);
        let other = client.set_limits(job, |limits| limits.workers = 3);

        for refused in [more, again] {
            assert!(matches!(refused, Err(ClientError::AtMostOnce { job: of }) if of == job), "{refused:?}");
        }
        assert_eq!(other.unwrap().workers, 3);
        assert!(client.job(job).unwrap().limits.is_at_most_once());
    }

    #[test]
    fn fault_254_attempts_that_were_taken_from_a_job_by_a_change_can_be_given_back() {
        let dir = tempfile::tempdir().unwrap();
        let client = Client::create(&dir.path().join("jobs.db")).unwrap();
        let job = job_with(&client, |limits| limits.on_interrupt = OnInterrupt::Fail);
        client.set_limits(job, |limits| limits.max_attempts = 1).unwrap();

        let changed = client.set_limits(job, |limits| limits.max_attempts = 4);

        assert_eq!(changed.unwrap().max_attempts, 4);
    }
}
