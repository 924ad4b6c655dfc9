//! Attempts that end and ask to be made again later: no attempt is counted, and the worker is free meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::words::words;
use super::{Timestamp, span};

/// How far it reaches that something is to start later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HoldScope {
    /// The unit alone.
    Unit,
    /// Every unit of its group: none starts before that time.
    Group,
    /// Every unit of the job: none starts before that time.
    Job,
}

words!(HoldScope, "hold", { Unit => "unit", Group => "group", Job => "job" });

/// When the next attempt at a postponed unit may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum When {
    /// So long after the end of this one.
    After(Duration),
    /// At that time.
    Until(Timestamp),
    /// After a delay as for a failed unit, longer each time.
    Backoff,
}

/// What an attempt says that is to be made again later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Postponement {
    /// When.
    pub when: When,
    /// What else waits until then.
    pub hold: HoldScope,
    /// Whether whoever was asked had too much to do: fewer units are to run at a time, where the job adapts.
    pub is_busy: bool,
    /// Why, in words.
    pub reason: String,
}

/// A time that lies too far ahead for a unit to wait for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a unit cannot wait for {}, the most is {}", span(*given), span(Postponement::MOST))]
pub struct TooLateError {
    /// How long it would wait.
    pub given: Duration,
}

impl Postponement {
    /// The longest that one attempt may have the next one wait: a time beyond that is a mistake of whoever worked it out.
    pub const MOST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

    /// The shortest time until the next attempt: no attempt is counted, and nothing else would keep a unit from being tried without end.
    pub const LEAST: Duration = Duration::from_millis(100);

    /// Postpones a unit, and nothing else.
    pub fn new(when: When, reason: String) -> Postponement {
        Postponement { when, hold: HoldScope::Unit, is_busy: false, reason }
    }

    /// Refuses a time that is too far ahead of `now`.
    ///
    /// # Errors
    /// When it is.
    pub fn check(&self, now: Timestamp) -> Result<(), TooLateError> {
        let given = match self.when {
            When::After(delay) => delay,
            When::Until(until) => until.since(now),
            When::Backoff => Duration::ZERO,
        };
        if given > Self::MOST { Err(TooLateError { given }) } else { Ok(()) }
    }

    /// Returns the time of the next attempt after one that ended at `ended_at`; `backoff` is the delay of a failed unit.
    pub fn until(&self, ended_at: Timestamp, backoff: impl FnOnce() -> Duration) -> Timestamp {
        let until = match self.when {
            When::After(delay) => ended_at + delay,
            When::Until(until) => until,
            When::Backoff => ended_at + backoff(),
        };
        until.max(ended_at + Self::LEAST)
    }
}

/// How many units a job that adapts runs at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adapted {
    /// How many.
    pub workers: usize,
    /// When somebody who was asked last had too much to do.
    pub busy_at: Option<Timestamp>,
    /// The groups that are held down, each with how many of its units run at a time.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, usize>,
}

impl Adapted {
    /// Most groups that are noted for the next manager; those beyond begin with all that they may run.
    pub const MOST_GROUPS: usize = 1000;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    #[test]
    fn no_unit_waits_for_more_than_a_month() {
        let later = |when| Postponement::new(when, String::new()).check(at(0));

        assert_eq!(later(When::After(Postponement::MOST)), Ok(()));
        assert_eq!(later(When::Until(at(-5))), Ok(()));
        let day = Duration::from_secs(86_400);
        for when in [When::After(day * 31), When::Until(at(0) + day * 31)] {
            assert_eq!(later(when).unwrap_err().to_string(), "a unit cannot wait for 31d00h, the most is 30d00h");
        }
    }
}
