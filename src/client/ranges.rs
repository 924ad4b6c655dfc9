//! The units that a filter may select, a range of numbers at a time, until the time for them is over.
//!
//! No snapshot is held for long, and whoever asked can be told how far it came instead of being left to wait.

use std::time::{Duration, Instant};

use crate::model::{Seq, UnitFilter};

/// Shares of the time for all, below which a range is too small and above which it is too large.
const SHORT: u32 = 64;
const LONG: u32 = 8;
/// By how much a range grows or shrinks at a time.
const STEP: i64 = 4;

/// Filters for one range after the other; each selects of its range what the whole does.
pub(super) struct Ranges<'a> {
    filter: &'a UnitFilter,
    /// Units of the next range.
    pub size: i64,
    first: i64,
    end: i64,
    begun: Instant,
    budget: Duration,
    has_begun: bool,
    /// Most units of a range, when its size goes by the time that the one before took.
    most: Option<i64>,
    range_begun: Instant,
}

impl<'a> Ranges<'a> {
    /// Begins with the first unit that a filter may select, of a job with so many.
    pub fn of(filter: &'a UnitFilter, total: i64, size: i64, budget: Duration) -> Self {
        let first = filter.first.map_or(1, |first| first.0.max(1));
        let end = filter.last.map_or(total, |last| last.0.min(total));
        let begun = Instant::now();
        Self { filter, size, first, end, begun, budget, has_begun: false, most: None, range_begun: begun }
    }

    /// Begins with a range of one unit and goes on with larger ones, up to `most`, as long as they are quick: units may have
    /// items of any size. Without any time there is one range, the largest.
    pub fn paced(filter: &'a UnitFilter, total: i64, most: i64, budget: Duration) -> Self {
        let size = if budget.is_zero() { most } else { 1 };
        Self { most: Some(most), ..Self::of(filter, total, size, budget) }
    }

    fn pace(&mut self) {
        let took = self.range_begun.elapsed();
        self.range_begun = Instant::now();
        let Some(most) = self.most.filter(|_| self.has_begun) else { return };
        if took < self.budget / SHORT {
            self.size = self.size.saturating_mul(STEP).min(most);
        } else if took > self.budget / LONG {
            self.size = (self.size / STEP).max(1);
        }
    }

    /// Returns the number up to which units were looked at, if the time ran out before all were.
    pub fn stopped_at(&self) -> Option<Seq> {
        (self.first <= self.end).then(|| Seq(self.first - 1))
    }
}

impl Iterator for Ranges<'_> {
    type Item = UnitFilter;

    fn next(&mut self) -> Option<UnitFilter> {
        let is_over = self.has_begun && self.begun.elapsed() >= self.budget;
        if is_over || self.first > self.end {
            return None;
        }
        self.pace();
        let last = self.first.saturating_add(self.size - 1).min(self.end);
        let range = UnitFilter { first: Some(Seq(self.first)), last: Some(Seq(last)), ..self.filter.clone() };
        (self.first, self.has_begun) = (last + 1, true);
        Some(range)
    }
}
