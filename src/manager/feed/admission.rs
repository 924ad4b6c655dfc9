//! What budgets and rates of meters let start: an attempt only if what it usually costs is there for it.
//!
//! A budget bounds how many attempts are under way. A rate is a bucket into which its amount runs evenly: an attempt takes what it
//! usually costs when it starts, and when it has ended the difference to what it did cost is settled. The bucket holds a tenth of
//! the amount, or what one attempt takes.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::model::{Amount, AmountRate, UnitId};

/// The share of a rate's amount that may be spent at once.
const BURST: f64 = 0.1;
/// Longest wait until a bucket is looked at again.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// What is known of a rate.
#[derive(Debug, Clone)]
pub(in crate::manager) struct MeterRate {
    /// Name of the meter.
    pub name: String,
    /// The rate, or the part of it that this manager has.
    pub rate: AmountRate,
    /// Managers that have such a part.
    pub managers: usize,
    /// What an attempt usually costs, as far as it is known.
    pub usual: Amount,
    /// What was spent.
    pub spent: Amount,
    /// Whether the bucket is full when it is first seen: nothing was spent before.
    pub is_new: bool,
}

/// What may start.
#[derive(Debug, Default)]
pub(in crate::manager) struct Admission {
    /// Attempts that may be under way, where that is bounded.
    most: Option<usize>,
    buckets: Vec<Bucket>,
    /// What attempts under way have taken from the buckets.
    taken: HashMap<UnitId, Vec<f64>>,
}

#[derive(Debug)]
struct Bucket {
    name: String,
    per_second: f64,
    capacity: f64,
    usual: f64,
    spent: i64,
    level: f64,
    at: Instant,
}

impl Bucket {
    fn level(&self, now: Instant) -> f64 {
        (self.level + self.per_second * now.saturating_duration_since(self.at).as_secs_f64()).min(self.capacity)
    }

    fn update(&mut self, known: &MeterRate, now: Instant) {
        (self.level, self.at) = (self.level(now), now);
        self.per_second = known.rate.per_second() / known.managers.max(1) as f64;
        self.usual = known.usual.millionths() as f64;
        let amount = known.rate.amount.millionths() as f64 / known.managers.max(1) as f64;
        self.capacity = (amount * BURST).max(self.usual).max(1.0);
        self.level -= (known.spent.millionths() - self.spent) as f64;
        self.spent = known.spent.millionths();
    }

    fn wait(&self, now: Instant) -> Option<Duration> {
        let lacking = self.usual.max(1.0) - self.level(now);
        let seconds = (lacking / self.per_second.max(f64::MIN_POSITIVE)).clamp(0.001, LONGEST_WAIT.as_secs_f64());
        (lacking > 0.0).then(|| Duration::from_secs_f64(seconds))
    }
}

impl Admission {
    /// Returns `true` if nothing is bounded.
    pub fn is_open(&self) -> bool {
        self.most.is_none() && self.buckets.is_empty()
    }

    /// Returns `true` if one more attempt may be under way.
    pub fn has_room(&self, under_way: usize) -> bool {
        self.most.is_none_or(|most| under_way < most)
    }

    /// Returns how many attempts may start within a moment.
    pub fn room(&self, under_way: usize) -> usize {
        match self.most {
            _ if self.wait().is_some() => 0,
            Some(most) => most.saturating_sub(under_way),
            None => usize::MAX,
        }
    }

    /// Returns how long the next attempt waits for a rate, if it does.
    pub fn wait(&self) -> Option<Duration> {
        if self.buckets.is_empty() {
            return None;
        }
        let now = Instant::now();
        self.buckets.iter().filter_map(|bucket| bucket.wait(now)).max()
    }

    /// Takes what an attempt usually costs.
    pub fn take(&mut self, unit: UnitId) {
        if self.buckets.is_empty() {
            return;
        }
        let usual: Vec<f64> = self.buckets.iter().map(|bucket| bucket.usual).collect();
        self.buckets.iter_mut().for_each(|bucket| bucket.level -= bucket.usual);
        self.taken.insert(unit, usual);
    }

    /// Gives back what an attempt has taken: what it did cost was taken when that was known.
    pub fn give_back(&mut self, unit: UnitId) {
        if self.taken.is_empty() {
            return;
        }
        for (bucket, taken) in self.buckets.iter_mut().zip(self.taken.remove(&unit).unwrap_or_default()) {
            bucket.level += taken;
        }
    }

    /// Takes up what the budgets let be under way, and the rates.
    pub fn update(&mut self, most: Option<usize>, rates: &[MeterRate]) {
        self.most = most;
        let now = Instant::now();
        let are_same = self.buckets.len() == rates.len()
            && self.buckets.iter().zip(rates).all(|(bucket, rate)| bucket.name == rate.name);
        if !are_same {
            // What attempts under way have taken from others is not given back to these.
            self.taken.clear();
            self.buckets = rates.iter().map(|rate| Bucket::of(rate, now)).collect();
        }
        self.buckets.iter_mut().zip(rates).for_each(|(bucket, rate)| bucket.update(rate, now));
    }
}

impl Bucket {
    fn of(rate: &MeterRate, now: Instant) -> Bucket {
        let spent = rate.spent.millionths();
        let mut bucket =
            Bucket { name: rate.name.clone(), per_second: 0.0, capacity: 0.0, usual: 0.0, spent, level: 0.0, at: now };
        bucket.update(rate, now);
        if rate.is_new {
            bucket.level = bucket.capacity;
        }
        bucket
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{JobId, Seq};

    fn rate(usual: i64, spent: i64, is_new: bool) -> MeterRate {
        let of = |millionths| Amount::from_millionths(millionths).unwrap();
        let rate = AmountRate { amount: of(1_000_000), per_ms: 3_600_000 };
        MeterRate { name: "tokens".to_owned(), rate, managers: 1, usual: of(usual), spent: of(spent), is_new }
    }

    fn unit(seq: i64) -> UnitId {
        UnitId::new(JobId(1), Seq(seq))
    }

    #[test]
    fn an_attempt_takes_what_it_usually_costs_and_the_difference_is_settled() {
        let mut admission = Admission::default();
        admission.update(None, &[rate(40_000, 0, true)]);

        admission.take(unit(1));
        admission.take(unit(2));
        assert!(admission.wait().is_some(), "a tenth of a million is not enough for a third one");

        // The first has cost a quarter of that.
        admission.update(None, &[rate(40_000, 10_000, true)]);
        admission.give_back(unit(1));
        assert!(admission.wait().is_none());
        // And then one twice as much.
        admission.update(None, &[rate(40_000, 90_000, true)]);
        admission.give_back(unit(2));
        assert!(admission.wait().is_some());
    }

    #[test]
    fn a_bucket_of_a_job_that_goes_on_is_empty_and_one_attempt_fits_into_each() {
        let mut admission = Admission::default();
        admission.update(None, &[rate(0, 500, false)]);
        assert!(admission.wait().is_some());

        let mut admission = Admission::default();
        admission.update(None, &[rate(900_000, 0, true)]);
        assert!(admission.wait().is_none());
    }

    #[test]
    fn a_budget_bounds_how_many_attempts_are_under_way() {
        let mut admission = Admission::default();
        admission.update(Some(2), &[]);
        assert_eq!((admission.has_room(1), admission.has_room(2), admission.room(1)), (true, false, 1));
        assert!(Admission::default().is_open() && Admission::default().has_room(usize::MAX));
    }
}
