//! Bringing the units of a job in line with a source that has changed.

use super::known::{Found, KnownUnits, Place};
use super::made::SourcePaths;
use super::payload::{UnitRefused, check_new_unit, grouped};
use super::{Client, ClientError};
use crate::files::create_private_dir;
use crate::handler::Grouping;
use crate::model::{JobId, NewUnit, Seq, Timestamp, UnitStatus};
use crate::store::SameKey;
use crate::sys::JobLock;

/// Changes written at a time.
const CHUNK: usize = 1000;

/// What a source and a job have and have not in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SyncPlan {
    /// Units that only the source has.
    pub new: Vec<NewUnit>,
    /// Units that have another content in the source, or were skipped because they were gone and are in it again.
    pub changed: Vec<(Seq, NewUnit)>,
    /// Units that the source does not have any more.
    pub gone: Vec<Seq>,
    /// How many of those keep their end, because they completed, were skipped or were cancelled before.
    pub gone_ended: usize,
    /// How many of those run, and go on.
    pub gone_running: usize,
    /// Units that are the same.
    pub same: usize,
    /// Those of them that were gone and are in the source again.
    pub back: Vec<Seq>,
}

/// What came of a sync.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Synced {
    /// What was done.
    pub plan: SyncPlan,
    /// Units that have another content in the source and run with their old one: another sync takes them once they ended.
    pub changed_running: usize,
}

impl Client {
    /// Compares the units of a job with those of a source, and changes nothing; their order does not matter.
    ///
    /// A unit with a key is known by that, and is changed when its payload differs; one without is known by its payload,
    /// and a row that was edited is one unit gone and one new. Takes memory for each unit of the job, some 150 bytes,
    /// and what differs in the source.
    ///
    /// # Errors
    /// [`ClientError::KeyTwice`] when two units of the source have the same key.
    pub fn plan_sync(&self, job: JobId, units: impl IntoIterator<Item = NewUnit>) -> Result<SyncPlan, ClientError> {
        self.try_plan_sync(job, units.into_iter().map(Ok))
    }

    /// Compares the units of a job with those of a source that may fail; see [`Client::plan_sync`].
    pub fn try_plan_sync<E: From<ClientError>>(
        &self,
        job: JobId,
        units: impl IntoIterator<Item = Result<NewUnit, E>>,
    ) -> Result<SyncPlan, E> {
        let row = self.job(job)?;
        if self.spec_of_several(&row)?.is_some() {
            return Err(ClientError::SeveralItems { job }.into());
        }
        let mut known = KnownUnits::of(self, job)?;
        let mut paths = SourcePaths::of(self.made_path(&row)?);
        let grouping = Grouping::of(&row.limits).map_err(|error| ClientError::Source(error.into()))?;
        let mut plan = SyncPlan::default();
        for unit in units {
            let unit = unit?;
            let refused = |error: UnitRefused| ClientError::Source(error.into());
            check_new_unit(&row.limits, &unit, None).map_err(refused)?;
            let unit = grouped(grouping.as_ref(), unit).map_err(refused)?;
            paths.check(&unit)?;
            match known.find(&(&unit).into()) {
                Found::Same(place) => {
                    plan.same += 1;
                    if place.is_gone {
                        plan.back.push(place.seq);
                    }
                }
                Found::Changed(place) => plan.changed.push((place.seq, unit)),
                Found::Nothing => plan.new.push(unit),
                Found::Twice => {
                    return Err(ClientError::KeyTwice { key: unit.key }.into());
                }
            }
        }
        let gone: Vec<Place> = known.into_gone().collect();
        plan.gone_running = gone.iter().filter(|place| place.status == UnitStatus::Running).count();
        plan.gone_ended = gone.iter().filter(|place| !place.is_skipped_when_gone).count() - plan.gone_running;
        plan.gone = gone.into_iter().map(|place| place.seq).collect();
        plan.gone.sort();
        plan.back.sort();
        Ok(plan)
    }

    /// Brings the units of a job in line with those of a source: inserts new ones, sends changed ones back to pending, and
    /// marks those that are gone, which are skipped unless they have ended. See [`Client::plan_sync`] for what is compared.
    ///
    /// Durable in groups: a crash in between leaves the job between the two states, and the same sync again does the
    /// rest. A job that had ended becomes paused. One sync of a job waits for another, in whatever process: called twice
    /// with the same units, the second changes nothing.
    ///
    /// ```no_run
    /// # use job_manager::{Client, NewUnit};
    /// # let client = Client::open("jobs.db".as_ref())?;
    /// let people = ["{\"id\": 1}", "{\"id\": 2}"].map(|row| NewUnit { payload: row.to_owned(), key: None, group: None });
    /// let synced = client.sync_units(client.find_job("people")?, people)?;
    /// println!("{} new, {} gone", synced.plan.new.len(), synced.plan.gone.len());
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn sync_units(&self, job: JobId, units: impl IntoIterator<Item = NewUnit>) -> Result<Synced, ClientError> {
        self.try_sync_units(job, units.into_iter().map(Ok))
    }

    /// Brings the units of a job in line with those of a source that may fail; see [`Client::sync_units`].
    pub fn try_sync_units<E: From<ClientError>>(
        &self,
        job: JobId,
        units: impl IntoIterator<Item = Result<NewUnit, E>>,
    ) -> Result<Synced, E> {
        self.job(job)?;
        // From before the look at what the job has until it has what the source has: a second process sees the result.
        let _lock = self.lock_sync(job)?;
        let plan = self.try_plan_sync(job, units)?;
        let changed_running = self.apply_sync(job, &plan)?;
        Ok(Synced { plan, changed_running })
    }

    fn lock_sync(&self, job: JobId) -> Result<JobLock, ClientError> {
        let files = self.job_files(job);
        create_private_dir(files.path()).map_err(ClientError::files("create", files.path()))?;
        let lock = JobLock::acquire(&files.sync_lock());
        if lock.is_err() {
            // One that was deleted meanwhile has no files either.
            self.job(job)?;
        }
        lock.map_err(ClientError::files("lock", files.sync_lock()))
    }

    /// Does what a plan says, and returns how many of the changed units run and were left alone.
    fn apply_sync(&self, job: JobId, plan: &SyncPlan) -> Result<usize, ClientError> {
        let row = self.job(job)?;
        let made = self.made_path(&row)?;
        // In this order, because a unit may make what one that is gone, or has changed, made.
        for ranges in runs(&plan.gone).chunks(CHUNK) {
            self.store().leave_gone(job, ranges, Timestamp::now())?;
        }
        let mut renewed = 0;
        for chunk in plan.changed.chunks(CHUNK) {
            renewed += match &made {
                Some(made) => self.store().renew_units_making(job, chunk, Timestamp::now(), made)?,
                None => self.store().renew_units(job, chunk, Timestamp::now())?,
            };
        }
        for chunk in plan.new.chunks(CHUNK) {
            self.append(job, chunk, SameKey::LeaveOut, made.as_ref())?;
        }
        for ranges in runs(&plan.back).chunks(CHUNK) {
            self.store().welcome_back(job, ranges)?;
        }
        Ok(plan.changed.len() - renewed)
    }
}

/// Joins numbers that follow each other.
fn runs(sorted: &[Seq]) -> Vec<(Seq, Seq)> {
    let mut runs: Vec<(Seq, Seq)> = Vec::new();
    for seq in sorted {
        match runs.last_mut() {
            Some((_, last)) if *last == seq.before() => *last = *seq,
            _ => runs.push((*seq, *seq)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_follow_each_other_are_one_range() {
        let seqs = [1, 2, 3, 7, 9, 10].map(Seq);

        assert_eq!(runs(&seqs), [(Seq(1), Seq(3)), (Seq(7), Seq(7)), (Seq(9), Seq(10))]);
    }
}
