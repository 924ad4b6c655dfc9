//! How often a unit was postponed, and how long it has waited. That is kept nowhere: the rows of its attempts tell it.

use std::time::Duration;

use super::{Cause, Timestamp};

/// How often a unit was postponed since it was last sent back by a client, and how long it has waited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Postponed {
    /// How often.
    pub times: u32,
    /// How long all those waits lasted that are over.
    waited: Duration,
    /// When the wait began that is not over.
    since: Option<Timestamp>,
    /// The latest attempt that was counted, if nothing came after it.
    counted: Option<u32>,
}

/// An attempt that is over, as far as it bears on how long its unit has waited.
#[derive(Debug, Clone, Copy)]
pub struct PastAttempt {
    /// Its number.
    pub number: u32,
    /// Why it came to nothing.
    pub cause: Cause,
    /// When it started, if that is known.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Timestamp,
}

impl Postponed {
    /// Follows the attempts at a unit that came to nothing, in their order.
    pub fn of(attempts: impl IntoIterator<Item = PastAttempt>) -> Postponed {
        attempts.into_iter().fold(Postponed::default(), Postponed::and)
    }

    /// Returns how long the unit has waited when an attempt of that number starts.
    pub fn waited(&self, number: u32, started_at: Timestamp) -> Duration {
        let Postponed { waited, since, .. } = self.since_sent_back(number);
        waited + since.map_or(Duration::ZERO, |since| started_at.since(since))
    }

    /// Returns how long the unit has waited until `now`, if it waits yet.
    pub fn waited_until(&self, now: Timestamp) -> Duration {
        self.waited + self.since.map_or(Duration::ZERO, |since| now.since(since))
    }

    /// Returns until when the unit may wait that does so yet, if it may wait for `most` in all.
    pub fn latest(&self, most: Duration) -> Option<Timestamp> {
        self.since.map(|since| since + most.saturating_sub(self.waited))
    }

    /// Returns how often an attempt of that number was postponed before.
    pub fn times_before(&self, number: u32) -> u32 {
        self.since_sent_back(number).times
    }

    fn and(self, attempt: PastAttempt) -> Postponed {
        let PastAttempt { number, cause, started_at, ended_at } = attempt;
        let before = self.since_sent_back(number);
        let waited = before.waited(number, started_at.unwrap_or(ended_at));
        let is_postponed = cause == Cause::Postponed;
        // These two cost no attempt, so that the next one has the same number.
        let is_counted = !is_postponed && !matches!(cause, Cause::Interrupted | Cause::Crashed);
        Postponed {
            times: before.times + u32::from(is_postponed),
            waited,
            since: is_postponed.then_some(ended_at),
            counted: is_counted.then_some(number),
        }
    }

    /// Forgets what was before a client sent the unit back: attempts are counted from 1 again then.
    fn since_sent_back(self, number: u32) -> Postponed {
        if self.counted.is_some_and(|counted| number <= counted) { Self::default() } else { self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_micros(second * 1_000_000)
    }

    fn attempt(number: u32, cause: Cause, from: i64, to: i64) -> PastAttempt {
        PastAttempt { number, cause, started_at: Some(at(from)), ended_at: at(to) }
    }

    #[test]
    fn a_unit_has_waited_from_the_end_of_each_postponed_attempt_to_the_next_start() {
        let rows = [
            attempt(1, Cause::Postponed, 0, 10),
            attempt(1, Cause::Crashed, 70, 75),
            attempt(1, Cause::Postponed, 80, 81),
            attempt(1, Cause::Failed, 91, 95),
            attempt(2, Cause::Postponed, 100, 101),
        ];

        let seen = Postponed::of(rows);

        assert_eq!((seen.times, seen.waited(2, at(201))), (3, Duration::from_secs(60 + 10 + 100)));
        assert_eq!(seen.waited_until(at(102)), Duration::from_secs(71));
        assert_eq!(seen.latest(Duration::from_secs(100)), Some(at(131)));
        assert_eq!(seen.latest(Duration::from_secs(1)), Some(at(101)));
    }

    #[test]
    fn what_was_before_a_retry_does_not_count() {
        let rows = [attempt(1, Cause::Postponed, 0, 10), attempt(1, Cause::Failed, 100, 101)];

        assert_eq!(Postponed::of(rows).waited(1, at(200)), Duration::ZERO);
        assert_eq!(Postponed::of(rows).times_before(1), 0);
        let again = Postponed::of(rows.into_iter().chain([attempt(1, Cause::Postponed, 200, 201)]));
        assert_eq!((again.times, again.waited(1, at(211))), (1, Duration::from_secs(10)));
    }
}
