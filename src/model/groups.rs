//! Groups of a job's units, such as those that ask the same host: what bounds each of them by itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Rate, Timestamp};

/// How the units of a job are grouped, and the bounds of each group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Groups {
    /// Template of the name of a unit's group; its values are those of the payload.
    pub by: String,
    /// Units of a group that may run at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<usize>,
    /// Attempts at units of a group that may start in a span of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// Failed units of a group at which no more of it start, counted from the latest start of the job on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_failures: Option<u64>,
}

impl Groups {
    /// Most bytes of a name: it stands in an index.
    pub const MAX_NAME_BYTES: usize = 255;
    /// Most groups of a job: its manager knows all of them.
    pub const MOST: usize = 100_000;

    /// Groups units by the value of a template, such as `{customer}` or `{url/host}`, without bounds.
    pub fn by(template: impl Into<String>) -> Groups {
        Groups { by: template.into(), most: None, rate: None, max_failures: None }
    }
}

/// A group of a job, as its row has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its own limit, in place of the job's for each group.
    pub most: Option<usize>,
    /// No unit of it up to that number waits for its first attempt.
    pub read_through: i64,
    /// Units that have failed since the latest start of the job, where that is bounded.
    pub failures: u64,
    /// Why no more of its units start until the job is started again.
    pub stopped: Option<String>,
    /// The time before which none of its units starts, and why.
    pub hold: Option<(Timestamp, String)>,
}

/// A group of which no unit starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HeldGroup {
    /// Its name.
    pub name: String,
    /// Until when; none until the job is started again, or a retry lets it go on.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: String,
}

/// Units of a group that wait for their first attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WaitingGroup {
    /// Its name.
    pub name: String,
    /// How many wait, counted up to [`WaitingGroup::MOST`].
    pub waiting: i64,
    /// Whether there are more.
    pub is_more: bool,
}

impl WaitingGroup {
    /// Units of a group that are counted.
    pub const MOST: i64 = 200;

    /// Says how many were found when one more than are counted was looked for.
    pub(crate) fn of(name: String, found: i64) -> WaitingGroup {
        WaitingGroup { name, waiting: found.min(Self::MOST), is_more: found > Self::MOST }
    }
}

/// Where the groups of a job stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GroupsStatus {
    /// How many there are.
    pub total: i64,
    /// Those of which a unit runs.
    pub running: usize,
    /// Those of which as many run as may.
    pub at_limit: usize,
    /// The first of these.
    pub at_limit_first: Vec<String>,
    /// The first of those that are held.
    pub held: Vec<HeldGroup>,
    /// How many more are.
    pub held_more: usize,
    /// Those of which fewer run than may, because whoever they ask could take no more lately.
    pub adapted: usize,
    /// The first of these, and how many run at a time.
    pub adapted_first: Vec<AdaptedGroup>,
    /// Units that wait for their first attempt, of the first 50 groups by name, without those that have none; not in a list of jobs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<WaitingGroup>,
}

/// A group of which fewer units run than may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AdaptedGroup {
    /// Its name.
    pub name: String,
    /// How many run at a time.
    pub workers: usize,
}

impl GroupsStatus {
    /// How many are named.
    const NAMED: usize = 5;

    /// Keeps a few names of each.
    pub(crate) fn of(total: i64, running: usize, mut full: Vec<String>, mut held: Vec<HeldGroup>) -> GroupsStatus {
        let (at_limit, held_more) = (full.len(), held.len().saturating_sub(Self::NAMED));
        full.truncate(Self::NAMED);
        held.truncate(Self::NAMED);
        GroupsStatus {
            total,
            running,
            at_limit,
            at_limit_first: full,
            held,
            held_more,
            adapted: 0,
            adapted_first: Vec::new(),
            waiting: Vec::new(),
        }
    }

    /// Adds the groups that a manager has come to hold down, some of them by name.
    pub(crate) fn with_adapted(self, groups: &BTreeMap<String, usize>) -> GroupsStatus {
        let first = groups.iter().take(Self::NAMED);
        let adapted_first =
            first.map(|(name, workers)| AdaptedGroup { name: name.clone(), workers: *workers }).collect();
        GroupsStatus { adapted: groups.len(), adapted_first, ..self }
    }
}
