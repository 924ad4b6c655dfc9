//! Units that one call adds to a job: which keys it has used, and what became of them.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::NewUnit;

/// Keys that were seen so far; a hash stands for each, so that a stream of units takes a few bytes for each of them.
#[derive(Debug, Default)]
pub struct SeenKeys(HashSet<u64>);

impl SeenKeys {
    /// Returns the first key of these units that was seen before, if there is one.
    pub fn find_twice<'u>(&mut self, units: &'u [NewUnit]) -> Option<&'u str> {
        units.iter().filter_map(|unit| unit.key.as_deref()).find(|key| !self.0.insert(hash(key)))
    }
}

/// What became of units that were added to a job.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnitsAdded {
    /// Units that the job has now and did not have before.
    pub added: usize,
    /// Units whose keys the job had already; they were not added.
    pub already_there: usize,
}

impl UnitsAdded {
    /// Counts so many units in of which some were added.
    pub(crate) fn count(&mut self, added: usize, given: usize) {
        self.added += added;
        self.already_there += given - added;
    }
}

fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}
