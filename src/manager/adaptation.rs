//! How many units run at a time where that follows what whoever they ask can take: up by one after as many units that ended
//! well as may run at present, down by half when somebody was busy.
//!
//! A number is halved at most once in the mean duration of a unit, and only on the word of an attempt that began after it was
//! last halved: what began before says nothing of the number that holds now.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::info;

use super::feed::Feed;
use crate::model::{Adapted, Limits, Timestamp, UnitOutcome};

/// The share of the latest duration in the mean.
const WEIGHT: u32 = 8;

/// The number, where the job adapts it.
#[derive(Default)]
pub(super) struct Adaptation(Mutex<Option<State>>);

#[derive(Debug, Clone)]
struct State {
    /// Fewest and most units.
    bounds: (usize, usize),
    workers: usize,
    /// Units that ended well since the number last changed.
    clean: usize,
    halved_at: Option<Instant>,
    busy_at: Option<Timestamp>,
    /// Mean duration of units that ended well.
    mean: Option<Duration>,
}

impl Adaptation {
    /// Takes up the limits of a job: a number that was adapted stays as far as they let it. `before` is what an earlier manager
    /// came to.
    pub fn follow(&self, limits: &Limits, before: Option<Adapted>, feed: &Feed) {
        let mut state = self.lock();
        *state = limits.adapt.map(|least| match state.take() {
            Some(state) => state.within(least, limits.workers),
            None => State::new(least, limits.workers, before),
        });
        feed.adapt_workers(state.as_ref().map_or(usize::MAX, |state| state.workers));
    }

    /// Counts how an attempt ended that began at `began`.
    pub fn count(&self, outcome: &UnitOutcome, began: Instant, now: Timestamp, feed: &Feed) {
        let mut state = self.lock();
        let Some(state) = state.as_mut() else { return };
        let before = state.workers;
        match outcome {
            UnitOutcome::Completed { .. } => state.ended_well(began.elapsed()),
            busy if busy.is_busy() => state.was_busy(began, Instant::now(), now),
            _ => {}
        }
        if state.workers != before {
            if state.workers < before {
                info!(
                    "{} at a time from now on, before {before}: {}",
                    state.workers,
                    outcome.error().unwrap_or("busy")
                );
            }
            feed.adapt_workers(state.workers);
        }
    }

    /// Returns what it has come to.
    pub fn adapted(&self) -> Option<Adapted> {
        self.lock().as_ref().map(|state| Adapted { workers: state.workers, busy_at: state.busy_at })
    }

    fn lock(&self) -> MutexGuard<'_, Option<State>> {
        // No code between lock and unlock can leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(least: usize, most: usize, before: Option<Adapted>) -> State {
        let workers = before.map_or(most, |before| before.workers);
        let busy_at = before.and_then(|before| before.busy_at);
        State { bounds: (0, 0), workers, clean: 0, halved_at: None, busy_at, mean: None }.within(least, most)
    }

    fn within(self, least: usize, most: usize) -> State {
        // One that was not held down has the new limit at once.
        let workers = if self.workers == self.bounds.1 { most } else { self.workers };
        State { workers: workers.max(least).min(most), bounds: (least, most), ..self }
    }

    fn ended_well(&mut self, took: Duration) {
        self.mean = Some(self.mean.map_or(took, |mean| (mean * (WEIGHT - 1) + took) / WEIGHT));
        self.clean += 1;
        if self.clean >= self.workers {
            (self.workers, self.clean) = ((self.workers + 1).min(self.bounds.1), 0);
        }
    }

    fn was_busy(&mut self, began: Instant, now: Instant, at: Timestamp) {
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
        let mut state = State::new(2, 8, None);
        state.was_busy(start, start, NOW);
        assert_eq!(state.workers, 4);

        (0..4).for_each(|_| state.ended_well(SECOND));
        assert_eq!(state.workers, 5);
        (0..4).for_each(|_| state.ended_well(SECOND));
        assert_eq!(state.workers, 5);
        state.ended_well(SECOND);
        assert_eq!(state.workers, 6);

        state.was_busy(start + SECOND / 2, start + SECOND / 2, NOW);
        assert_eq!(state.workers, 6, "twice in the mean duration");
        state.was_busy(start, start + SECOND * 3, NOW);
        assert_eq!(state.workers, 6, "of an attempt that began before");
        (3..9).for_each(|s| state.was_busy(start + SECOND * s, start + SECOND * s, NOW));
        assert_eq!(state.workers, 2, "the fewest");
        (0..1000).for_each(|_| state.ended_well(SECOND));
        assert_eq!(state.workers, 8, "the most");
    }

    #[test]
    fn a_number_that_was_adapted_outlives_its_manager_and_other_limits() {
        let before = Some(Adapted { workers: 12, busy_at: Some(NOW) });

        let state = State::new(4, 64, before);
        assert_eq!((state.workers, state.busy_at), (12, Some(NOW)));
        assert_eq!(state.clone().within(4, 8).workers, 8);
        assert_eq!(state.clone().within(16, 64).workers, 16);
        assert_eq!(state.within(4, 100).workers, 12);
        assert_eq!(State::new(4, 64, None).within(4, 100).workers, 100, "it was not held down");
    }
}
