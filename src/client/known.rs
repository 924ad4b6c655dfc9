//! The units that a job has, as far as they are compared with those of a source.
//!
//! A unit with a key is known by that, one without by its payload. Hashes stand for both: some 150 bytes for each unit.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Client, ClientError};
use crate::model::{JobId, NewUnit, Outdated, RawText, Seq, Unit, UnitStatus};
use crate::store::GONE;

/// Units read at a time.
const CHUNK: i64 = 1000;

/// What of a source's unit is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sighting {
    key: Option<u64>,
    content: u64,
}

impl From<&NewUnit> for Sighting {
    fn from(unit: &NewUnit) -> Self {
        Self { key: unit.key.as_deref().map(hash), content: content_of(&unit.payload) }
    }
}

/// What a unit is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Identity {
    Key(u64),
    Content(u64),
}

impl Sighting {
    fn identity(&self) -> Identity {
        self.key.map_or(Identity::Content(self.content), Identity::Key)
    }
}

/// Where a unit of the job is, and what it is now.
#[derive(Debug)]
pub(super) struct Place {
    pub seq: Seq,
    content: u64,
    pub status: UnitStatus,
    /// Whether the source did not have it at an earlier time.
    pub is_gone: bool,
    /// Whether it was skipped for that.
    is_skipped: bool,
    /// Whether it is skipped when the source does not have it.
    pub is_skipped_when_gone: bool,
}

/// What a job has of a unit of the source.
pub(super) enum Found {
    /// The same.
    Same(Place),
    /// Another content under the same key, or the same that was skipped.
    Changed(Place),
    /// Nothing.
    Nothing,
    /// The source had the key before.
    Twice,
}

/// The units of a job that no unit of a source was found to be yet.
pub(super) struct KnownUnits {
    /// A unit that was found leaves an empty list, so that a key that comes twice is noticed.
    present: HashMap<Identity, Vec<Place>>,
    /// Those that were gone before; what is present goes first.
    gone: HashMap<Identity, Vec<Place>>,
}

impl KnownUnits {
    /// Reads the units of a job.
    pub fn of(client: &Client, job: JobId) -> Result<Self, ClientError> {
        let mut known = Self { present: HashMap::new(), gone: HashMap::new() };
        let limits = client.job(job)?.limits;
        let mut after = None;
        loop {
            let page = client.store().unit_contents(job, after, CHUNK)?;
            let Some(last) = page.last() else { return Ok(known) };
            after = Some(last.seq);
            for unit in page {
                // One that another replaced is not there any more, and the last one is of no source.
                if unit.outdated == Some(Outdated::Replaced) || unit.key.as_deref().is_some_and(Unit::is_last_key) {
                    continue;
                }
                let is_gone = unit.outdated == Some(Outdated::Gone);
                let sighting = Sighting { key: unit.key.as_deref().map(hash), content: content_of(&unit.payload) };
                let is_skipped = unit.status == UnitStatus::Skipped && unit.error.as_deref() == Some(GONE);
                let place = Place {
                    seq: unit.seq,
                    content: sighting.content,
                    status: unit.status,
                    is_gone,
                    is_skipped,
                    is_skipped_when_gone: limits.skipped_when_gone().contains(&unit.status),
                };
                let among = if is_gone { &mut known.gone } else { &mut known.present };
                among.entry(sighting.identity()).or_default().push(place);
            }
        }
    }

    /// Looks for a unit of the source, and takes what it finds out.
    pub fn find(&mut self, unit: &Sighting) -> Found {
        let identity = unit.identity();
        let is_taken = |places: &HashMap<Identity, Vec<Place>>| places.get(&identity).is_some_and(Vec::is_empty);
        if unit.key.is_some() && (is_taken(&self.present) || is_taken(&self.gone)) {
            return Found::Twice;
        }
        let take = |places: &mut HashMap<Identity, Vec<Place>>| places.get_mut(&identity).and_then(Vec::pop);
        match take(&mut self.present).or_else(|| take(&mut self.gone)) {
            Some(place) if place.content == unit.content && !(place.is_gone && place.is_skipped) => Found::Same(place),
            Some(place) => Found::Changed(place),
            None => {
                self.present.entry(identity).or_default();
                Found::Nothing
            }
        }
    }

    /// Returns the units that the source does not have, but those that were gone before and stay as they are.
    pub fn into_gone(self) -> impl Iterator<Item = Place> {
        let again = self.gone.into_values().flatten().filter(|place| place.is_skipped_when_gone);
        self.present.into_values().flatten().chain(again)
    }
}

#[cfg(feature = "sources")]
/// The contents of a source's units that have keys; hashes stand for both.
#[derive(Debug, Default)]
pub(super) struct KeyedContents(HashMap<u64, u64>);

#[cfg(feature = "sources")]
impl KeyedContents {
    /// Takes a unit, and returns `false` if one of the same key was there.
    pub fn insert(&mut self, unit: &NewUnit) -> bool {
        let Some(key) = unit.key.as_deref() else { return true };
        self.0.insert(hash(key), content_of(&unit.payload)).is_none()
    }

    /// Counts the units of a job that have other content under the same key.
    pub fn count_other(&self, client: &Client, job: JobId) -> Result<usize, ClientError> {
        let (mut other, mut after) = (0, None);
        loop {
            let page = client.store().unit_contents(job, after, CHUNK)?;
            let Some(last) = page.last() else { return Ok(other) };
            after = Some(last.seq);
            let present = page.iter().filter(|unit| unit.outdated != Some(Outdated::Replaced));
            let other_here = present.filter(|unit| {
                let given = unit.key.as_deref().and_then(|key| self.0.get(&hash(key)));
                given.is_some_and(|given| *given != content_of(&unit.payload))
            });
            other += other_here.count();
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_133_a_key_is_no_payload_that_reads_the_same() {
        let keyed = Sighting::from(&NewUnit { payload: "1".to_owned(), key: Some("17".to_owned()), group: None });
        let unnamed = Sighting::from(&NewUnit { payload: "17".to_owned(), key: None, group: None });

        assert_ne!(keyed.identity(), unnamed.identity());
    }
}
