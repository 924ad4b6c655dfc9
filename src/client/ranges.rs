//! The units that a filter may select, a range of numbers at a time, until the time for them is over.
//!
//! No snapshot is held for long, and whoever asked can be told how far it came instead of being left to wait.

use std::time::{Duration, Instant};

use crate::model::{Seq, UnitFilter};

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
}

impl<'a> Ranges<'a> {
    /// Begins with the first unit that a filter may select, of a job with so many.
    pub fn of(filter: &'a UnitFilter, total: i64, size: i64, budget: Duration) -> Self {
        let first = filter.first.map_or(1, |first| first.0.max(1));
        let end = filter.last.map_or(total, |last| last.0.min(total));
        Self { filter, size, first, end, begun: Instant::now(), budget, has_begun: false }
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
        let last = self.first.saturating_add(self.size - 1).min(self.end);
        let range = UnitFilter { first: Some(Seq(self.first)), last: Some(Seq(last)), ..self.filter.clone() };
        (self.first, self.has_begun) = (last + 1, true);
        Some(range)
    }
}
