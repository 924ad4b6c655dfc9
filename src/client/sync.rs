//! Bringing the units of a job in line with a source that has changed.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::retry::has_several_items;
use super::{Client, ClientError};
use crate::model::{JobId, NewUnit, RawText, Seq, Timestamp, Unit, UnitFilter, UnitStatus};
use crate::store::{REPLACED, SameKey};

/// Units read, and changes written, at a time.
const CHUNK: usize = 1000;
/// Reason of a unit that the source does not have any more.
const GONE: &str = "gone from the source";

/// What a source and a job have and have not in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncPlan {
    /// Units that only the source has.
    pub new: Vec<NewUnit>,
    /// Units that have another content in the source, or are in it again.
    pub changed: Vec<(Seq, NewUnit)>,
    /// Units that the source does not have, and that have not completed.
    pub gone: Vec<Seq>,
    /// Units that are the same.
    pub same: usize,
}

/// What a unit is known by: its key, or its content when it has none.
type Identity = u64;

impl Client {
    /// Compares the units of a job with those of a source; their order does not matter.
    ///
    /// A unit with a key is known by that, and is changed when its payload differs; one without is known by its payload,
    /// and a row that was edited is one unit gone and one new. Takes memory for each unit of the job, some 150 bytes,
    /// and what differs in the source.
    pub fn plan_sync(&self, job: JobId, units: impl IntoIterator<Item = NewUnit>) -> Result<SyncPlan, ClientError> {
        self.try_plan_sync(job, units.into_iter().map(Ok))
    }

    /// Compares the units of a job with those of a source that may fail; see [`Client::plan_sync`].
    pub fn try_plan_sync<E: From<ClientError>>(
        &self,
        job: JobId,
        units: impl IntoIterator<Item = Result<NewUnit, E>>,
    ) -> Result<SyncPlan, E> {
        if has_several_items(&self.job(job)?) {
            return Err(ClientError::SeveralItems { job }.into());
        }
        let mut known = self.known_units(job)?;
        let mut plan = SyncPlan::default();
        for unit in units {
            let unit = unit?;
            let content = content_of(&unit.payload);
            let places = known.get_mut(&identity(unit.key.as_deref(), content));
            match places.and_then(Vec::pop) {
                Some(place) if place.content == content && !place.is_gone => plan.same += 1,
                Some(place) => plan.changed.push((place.seq, unit)),
                None => plan.new.push(unit),
            }
        }
        plan.gone = known.into_values().flatten().filter(|place| place.unfinished).map(|place| place.seq).collect();
        plan.gone.sort();
        Ok(plan)
    }

    /// Does what a plan says: inserts new units, sends changed ones back to pending, leaves out those that are gone.
    ///
    /// Durable in groups: a crash in between leaves the job between the two states, and the same sync again does the
    /// rest. A job that had ended becomes paused.
    pub fn apply_sync(&self, job: JobId, plan: &SyncPlan) -> Result<(), ClientError> {
        for chunk in plan.new.chunks(CHUNK) {
            self.store().append_units(job, chunk, SameKey::LeaveOut)?;
        }
        for chunk in plan.changed.chunks(CHUNK) {
            self.store().renew_units(job, chunk, Timestamp::now())?;
        }
        for (first, last) in runs(&plan.gone) {
            let range = UnitFilter { first: Some(first), last: Some(last), ..UnitFilter::all() };
            self.store().skip_units(job, &range, GONE, Timestamp::now())?;
        }
        Ok(())
    }

    fn known_units(&self, job: JobId) -> Result<HashMap<Identity, Vec<Place>>, ClientError> {
        let mut known: HashMap<Identity, Vec<Place>> = HashMap::new();
        let mut after = None;
        loop {
            let page = self.store().unit_contents(job, after, CHUNK as i64)?;
            let Some(last) = page.last() else { return Ok(known) };
            after = Some(last.seq);
            for unit in page {
                // One that another replaced is not there any more, and the last one is of no source.
                let left_out = |reason| unit.status == UnitStatus::Skipped && unit.error.as_deref() == Some(reason);
                if left_out(REPLACED) || unit.key.as_deref().is_some_and(Unit::is_last_key) {
                    continue;
                }
                let is_gone = left_out(GONE);
                let content = content_of(&unit.payload);
                let unfinished = matches!(unit.status, UnitStatus::Pending | UnitStatus::Failed);
                let place = Place { seq: unit.seq, content, unfinished, is_gone };
                known.entry(identity(unit.key.as_deref(), content)).or_default().push(place);
            }
        }
    }
}

/// Where a unit of the job is, and what it is now.
struct Place {
    seq: Seq,
    content: u64,
    unfinished: bool,
    /// Whether the source had it no more at an earlier time.
    is_gone: bool,
}

fn identity(key: Option<&str>, content: u64) -> Identity {
    key.map_or(content, hash)
}

/// Returns what stands for a payload; bytes that are no text are the same however their object is written.
fn content_of(payload: &str) -> u64 {
    RawText::of_json(payload).map_or_else(|| hash(payload), |text| hash(text.as_bytes()))
}

fn hash<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
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
