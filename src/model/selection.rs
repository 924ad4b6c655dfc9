//! Which jobs or units a verb is about.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

use super::words::{UnknownWordError, words};
use super::{ClusterId, Flagged, ItemPattern, JobId, JobStatus, Seq, UnitStatus};
use super::{Timestamp, UnitDetail};

/// A state of jobs as people see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShownStatus {
    /// One that the database knows.
    Of(JobStatus),
    /// Its row says that it runs, and its manager has died.
    Interrupted,
    /// Its row says that it runs, and nobody can tell whether its manager lives.
    Unknown,
}

impl ShownStatus {
    /// What a job is called whose manager has died.
    pub const INTERRUPTED: &str = "interrupted";
    /// What a job is called of whose manager nobody can tell whether it lives.
    pub const UNKNOWN: &str = "unknown";

    /// Returns the words for all of them.
    pub fn words() -> impl Iterator<Item = &'static str> {
        let known = JobStatus::ALL.iter().filter(|status| **status != JobStatus::Partial).map(|status| status.as_str());
        known.chain([Self::INTERRUPTED, Self::UNKNOWN])
    }
}

impl FromStr for ShownStatus {
    type Err = UnknownWordError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            Self::INTERRUPTED => return Ok(Self::Interrupted),
            Self::UNKNOWN => return Ok(Self::Unknown),
            _ => {}
        }
        let known = |error: UnknownWordError| format!("{}, {}, {}", error.expected, Self::INTERRUPTED, Self::UNKNOWN);
        word.parse()
            .map(Self::Of)
            .map_err(|error: UnknownWordError| UnknownWordError { expected: known(error.clone()), ..error })
    }
}

impl<'de> Deserialize<'de> for ShownStatus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JobFilter {
    /// Selects jobs in these states, all when there are none.
    pub fn in_states(states: &[ShownStatus]) -> JobFilter {
        let of = |state: &ShownStatus| match state {
            ShownStatus::Of(status) => Some(*status),
            ShownStatus::Interrupted | ShownStatus::Unknown => None,
        };
        JobFilter {
            statuses: states.iter().filter_map(of).collect(),
            interrupted: states.contains(&ShownStatus::Interrupted),
            unknown: states.contains(&ShownStatus::Unknown),
            as_shown: true,
            ..JobFilter::default()
        }
    }
}

impl JobFilter {
    /// Returns `true` if it depends on managers what is found.
    pub(crate) fn asks_for_managers(&self) -> bool {
        self.interrupted || self.unknown || (self.as_shown && self.statuses.contains(&JobStatus::Running))
    }
}

/// Which jobs a listing shows.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Only jobs in these states; all when empty.
    pub statuses: Vec<JobStatus>,
    /// Jobs that a manager which has died left running, beside those in `statuses`; only they where that is empty. Whoever looks at
    /// managers heeds it: [`Client::snapshots`](crate::client::Client::snapshots), not [`Client::jobs`](crate::client::Client::jobs).
    pub interrupted: bool,
    /// The same of jobs of whose managers nobody can tell whether they live.
    pub unknown: bool,
    /// Whether a job counts as running only while its manager lives, as it is shown; else whenever its row says so. Heeded by the same.
    pub as_shown: bool,
    /// Only jobs of that name.
    pub name: Option<String>,
    /// Only jobs that were created then or later.
    pub since: Option<Timestamp>,
    /// Only jobs with that label and that value.
    pub label: Option<(String, String)>,
    /// Only the job of that key.
    pub key: Option<String>,
    /// Only these; all when it is none.
    pub jobs: Option<Vec<JobId>>,
    /// Those that run come first, then those that wait to go on, then all others, each the newest first; all the newest first otherwise.
    pub under_way_first: bool,
    /// At most so many, the first ones.
    pub limit: Option<i64>,
}

/// Which units of a job a verb is about; a unit must satisfy every part that is set.
#[derive(Debug, Clone, Default)]
pub struct UnitFilter {
    /// Only units in these states; all when empty.
    pub statuses: Vec<UnitStatus>,
    /// Only the unit of that key.
    pub key: Option<String>,
    /// Only units from this number on.
    pub first: Option<Seq>,
    /// Only units up to this number.
    pub last: Option<Seq>,
    /// Only units whose item contains that.
    pub pattern: Option<ItemPattern>,
    /// Only failed units, and of those the ones of that kind of failure.
    pub cluster: Option<ClusterId>,
    /// Only units of that group.
    pub group: Option<String>,
    /// Only units that the job's source still has (`Some(true)`), or no longer has (`Some(false)`).
    pub current: Option<bool>,
    /// Only units that completed and are flagged, or not.
    pub flagged: Option<Flagged>,
}

/// In which order units are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UnitOrder {
    /// By their numbers.
    #[default]
    Seq,
    /// Those that took the longest from start to end first, those without an end last.
    Duration,
    /// Those that ended latest first.
    Finished,
    /// Those with the most attempts first.
    Attempts,
    /// Those that cost the most by the first meter of the job first.
    Spend,
}

words!(UnitOrder, "order", {
    Seq => "seq",
    Duration => "duration",
    Finished => "finished",
    Attempts => "attempts",
    Spend => "spend",
});

impl UnitOrder {
    /// Returns by what a unit is compared: the greatest comes first.
    pub(crate) fn rank(self, unit: &UnitDetail) -> i64 {
        let finished = unit.finished_at.map(Timestamp::as_micros);
        match self {
            Self::Seq => 0,
            Self::Duration => finished.zip(unit.started_at).map_or(-1, |(end, start)| end - start.as_micros()),
            Self::Finished => finished.unwrap_or(-1),
            Self::Attempts => unit.attempts.into(),
            Self::Spend => unit.spent.0.first().map_or(0, |(_, amount)| amount.millionths()),
        }
    }
}

impl UnitFilter {
    /// Selects every unit.
    pub fn all() -> Self {
        Self::default()
    }

    /// Selects one unit by its number.
    pub fn one(seq: Seq) -> Self {
        Self { first: Some(seq), last: Some(seq), ..Self::default() }
    }

    /// Selects those of the same units whose numbers are greater than `seq`.
    #[must_use]
    pub fn after(&self, seq: Seq) -> Self {
        let next = Seq(seq.0.saturating_add(1));
        Self { first: Some(self.first.map_or(next, |first| first.max(next))), ..self.clone() }
    }

    /// Returns `true` if only a look at each unit tells whether it is selected.
    pub(crate) fn looks_at_each_unit(&self) -> bool {
        self.pattern.is_some()
    }

    /// Selects the failed units of one kind of failure.
    pub fn of_cluster(cluster: ClusterId) -> Self {
        Self { cluster: Some(cluster), ..Self::default() }
    }

    /// Selects units in one state.
    pub fn with_status(status: UnitStatus) -> Self {
        Self { statuses: vec![status], ..Self::default() }
    }
}
