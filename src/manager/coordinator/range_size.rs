//! How many units a manager claims at once where others share its job: slow ones spread, fast ones cost few claims.

use std::time::{Duration, Instant};

/// Time that the units of a range are to last.
const LASTS: Duration = Duration::from_secs(2);
/// How much longer than the claim of a range its units are to last, so that workers do not wait for a server that is far away.
const TIMES_CLAIM: u32 = 8;
/// No claim makes them last longer.
const LAST_AT_MOST: Duration = Duration::from_secs(30);
/// None has more.
const MOST: f64 = 10_000.0;

/// The size of the next range.
#[derive(Debug, Default)]
pub(super) struct RangeSize {
    latest: Option<(f64, Instant)>,
    /// How long the latest claim has taken.
    took: Duration,
}

impl RangeSize {
    /// Returns `true` if it is time to claim units, with so many in hand: half of the range before is left at most, or
    /// workers have none, while long units of that range run on.
    pub fn is_due(&self, in_hand: usize, workers: usize) -> bool {
        let is_low = self.latest.is_none_or(|(units, _)| in_hand as f64 <= units / 2.0);
        is_low || in_hand < workers
    }

    /// Notes how long a claim has taken.
    pub fn took(&mut self, time: Duration) {
        self.took = time;
    }

    /// Notes how much there was to do in what was claimed. Of a range that somebody gave back most units may be done, and how soon the
    /// others are says little of a whole one.
    pub fn found(&mut self, to_do: u64, workers: usize) {
        if let Some((units, _)) = &mut self.latest {
            *units = units.min(to_do.max(workers as u64) as f64);
        }
    }

    /// Returns how many units to claim, one at least for each worker without any, after the time that those of the range before
    /// have lasted.
    pub fn next(&mut self, in_hand: usize, workers: usize) -> i64 {
        let (fewest, now) = ((workers.saturating_sub(in_hand).max(1) as f64).min(MOST), Instant::now());
        let units = self.latest.map_or(fewest, |(units, at)| scaled(units, self.lasts(), now - at).clamp(fewest, MOST));
        self.latest = Some((units, now));
        units as i64
    }

    /// Returns how long the units of a range are to last.
    fn lasts(&self) -> Duration {
        LASTS.max((self.took * TIMES_CLAIM).min(LAST_AT_MOST))
    }
}

/// Scales a range that lasted so long and is to last that long, by no more than four.
fn scaled(units: f64, lasts: Duration, lasted: Duration) -> f64 {
    units * (lasts.as_secs_f64() / lasted.as_secs_f64().max(0.001)).clamp(0.25, 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_units_are_claimed_by_few_and_fast_ones_by_many() {
        let size = |lasted| scaled(100.0, LASTS, Duration::from_millis(lasted)) as i64;
        assert_eq!((size(1), size(1000), size(2000), size(60_000)), (400, 200, 100, 25));
    }

    #[test]
    fn the_first_range_is_for_the_workers_and_the_next_is_claimed_when_half_of_it_is_left() {
        let mut range = RangeSize::default();
        assert!(range.is_due(0, 8));
        assert_eq!(range.next(0, 8), 8);
        assert_eq!((range.is_due(5, 2), range.is_due(4, 2)), (false, true));
    }

    #[test]
    fn ranges_last_longer_where_a_claim_takes_long() {
        let mut range = RangeSize::default();
        let near = range.lasts();

        range.took(Duration::from_secs(1));
        let far = range.lasts();
        range.took(Duration::from_secs(60));

        assert_eq!((near, far, range.lasts()), (LASTS, Duration::from_secs(8), LAST_AT_MOST));
    }

    #[test]
    fn workers_without_units_get_some_while_others_have_long_ones() {
        let mut range =
            RangeSize { latest: Some((8.0, Instant::now().checked_sub(8 * LASTS).unwrap())), ..RangeSize::default() };
        assert_eq!((range.is_due(8, 8), range.is_due(7, 8)), (false, true));
        assert_eq!((range.next(5, 8), range.next(7, 8)), (3, 12));
    }

    #[test]
    fn fault_377_ranges_that_others_had_nearly_done_make_none_larger() {
        let mut range = RangeSize::default();

        for _ in 0..6 {
            assert!(range.next(0, 3) <= 4 * 3, "{range:?}");
            range.found(1, 3);
        }

        assert!(!range.is_due(2, 2), "{range:?}");
    }
}
