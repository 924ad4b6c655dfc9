//! A number of units that run at a time: up by one after as many that ended well as may run at present, down by half when somebody
//! was busy.
//!
//! It is halved at most once in the mean duration of a unit, and only on the word of an attempt that began after it was last
//! halved: what began before says nothing of the number that holds now.

use std::time::{Duration, Instant};

use crate::model::Timestamp;

/// The share of the latest duration in the mean.
const WEIGHT: u32 = 8;

/// Such a number, of a job or of one of its groups.
#[derive(Debug, Clone)]
pub struct Number {
    /// Fewest and most units.
    bounds: (usize, usize),
    pub workers: usize,
    /// Units that ended well since it last changed.
    clean: usize,
    halved_at: Option<Instant>,
    pub busy_at: Option<Timestamp>,
    /// Mean duration of units that ended well.
    mean: Option<Duration>,
}

impl Number {
    /// Begins with what an earlier manager came to, or with `most`.
    pub fn new(least: usize, most: usize, before: Option<usize>) -> Number {
        let workers = before.unwrap_or(most);
        Number { bounds: (0, 0), workers, clean: 0, halved_at: None, busy_at: None, mean: None }.within(least, most)
    }

    /// Returns `true` if fewer run than may.
    pub fn is_held_down(&self) -> bool {
        self.workers < self.bounds.1
    }

    /// Takes up other bounds: what was adapted stays as far as they let it.
    pub fn within(self, least: usize, most: usize) -> Number {
        // One that was not held down has the new limit at once.
        let workers = if self.workers == self.bounds.1 { most } else { self.workers };
        Number { workers: workers.max(least).min(most), bounds: (least, most), ..self }
    }

    /// Counts a unit that ended well.
    pub fn ended_well(&mut self, took: Duration) {
        self.mean = Some(self.mean.map_or(took, |mean| (mean * (WEIGHT - 1) + took) / WEIGHT));
        self.clean += 1;
        if self.clean >= self.workers {
            (self.workers, self.clean) = ((self.workers + 1).min(self.bounds.1), 0);
        }
    }

    /// Takes up that somebody was busy, as an attempt says that began at `began`.
    pub fn was_busy(&mut self, began: Instant, now: Instant, at: Timestamp) {
        self.busy_at = Some(at);
        let is_old = self.halved_at.is_some_and(|halved_at| {
            began <= halved_at || now.saturating_duration_since(halved_at) < self.mean.unwrap_or_default()
        });
        if !is_old {
            self.halved_at = Some(now);
            (self.workers, self.clean) = ((self.workers / 2).max(self.bounds.0).min(self.bounds.1), 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1);
    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_number_grows_by_one_after_as_many_ends_and_is_halved_once_in_a_mean_duration() {
        let start = Instant::now();
        let mut number = Number::new(2, 8, None);
        number.was_busy(start, start, NOW);
        assert_eq!(number.workers, 4);

        (0..4).for_each(|_| number.ended_well(SECOND));
        assert_eq!(number.workers, 5);
        (0..4).for_each(|_| number.ended_well(SECOND));
        assert_eq!(number.workers, 5);
        number.ended_well(SECOND);
        assert_eq!(number.workers, 6);

        number.was_busy(start + SECOND / 2, start + SECOND / 2, NOW);
        assert_eq!(number.workers, 6, "twice in the mean duration");
        number.was_busy(start, start + SECOND * 3, NOW);
        assert_eq!(number.workers, 6, "of an attempt that began before");
        (3..9).for_each(|s| number.was_busy(start + SECOND * s, start + SECOND * s, NOW));
        assert_eq!(number.workers, 2, "the fewest");
        (0..1000).for_each(|_| number.ended_well(SECOND));
        assert_eq!(number.workers, 8, "the most");
    }

    #[test]
    fn a_number_that_was_adapted_outlives_its_manager_and_other_limits() {
        let before = Some(12);

        let number = Number::new(4, 64, before);
        assert_eq!(number.workers, 12);
        assert_eq!(number.clone().within(4, 8).workers, 8);
        assert_eq!(number.clone().within(16, 64).workers, 16);
        assert_eq!(number.within(4, 100).workers, 12);
        assert_eq!(Number::new(4, 64, None).within(4, 100).workers, 100, "it was not held down");
    }
}
