//! The manager's sign of life, and the rate at which units have ended lately.

use std::time::{Duration, Instant};

use super::shared::Shared;
use crate::model::{Adapted, Heartbeat, Waits};

/// Time between two heartbeats.
pub(super) const HEARTBEAT_EVERY: Duration = Duration::from_secs(1);
/// Time over which the rate is averaged; older seconds count less and less.
const MEMORY: Duration = Duration::from_secs(15);

/// How often the time between two heartbeats that are all there is to record becomes longer.
const MOST_ALONE: u32 = 3;

/// Counts ended units and says when a heartbeat is due.
pub(super) struct RateMeter {
    /// Time between two heartbeats that are all there is to record, unless there is news in them; each is four times as long as the one before.
    alone_every: Duration,
    /// How often in a row one was all there was to record.
    alone: u32,
    last: Instant,
    ended: usize,
    rate: Option<f64>,
    /// What the last one said about units under way.
    said: Said,
}

/// What a heartbeat says besides the time and the rate: workers, units that run, what they wait for, how many run at a time.
type Said = (usize, usize, Option<Waits>, Option<Adapted>);

impl RateMeter {
    /// Makes one whose heartbeats keep that distance while there is nothing else to record.
    pub fn new(alone_every: Duration) -> Self {
        Self { alone_every, alone: 0, last: Instant::now(), ended: 0, rate: None, said: (0, 0, None, None) }
    }

    /// Counts units that have ended.
    pub fn count(&mut self, ended: usize) {
        self.ended += ended;
    }

    /// Returns a heartbeat when one is due, which may be all that there is to record.
    pub fn beat(&mut self, shared: &Shared, is_alone: bool) -> Option<Heartbeat> {
        let elapsed = self.last.elapsed();
        if elapsed < HEARTBEAT_EVERY {
            return None;
        }
        let (workers, running, waits) = (shared.limits().workers, shared.under_way().len(), shared.waits());
        let adapted = shared.adaptation.adapted(&shared.feed);
        let says = (workers, running, waits.clone(), adapted.clone());
        let is_news = !is_alone || says != self.said;
        if !is_news && elapsed < self.alone_every * 4_u32.pow(self.alone) {
            return None;
        }
        let alone = if is_news { 0 } else { (self.alone + 1).min(MOST_ALONE) };
        let rate_per_second = average(self.rate, self.ended as f64 / elapsed.as_secs_f64(), elapsed);
        let (last, rate) = (Instant::now(), Some(rate_per_second));
        *self = Self { alone_every: self.alone_every, alone, last, ended: 0, rate, said: says };
        Some(Heartbeat { at: shared.clock.now(), workers, running, rate_per_second, waits, adapted })
    }
}

/// Blends the latest rate into the average, the more the longer it was measured.
fn average(before: Option<f64>, latest: f64, measured: Duration) -> f64 {
    let Some(before) = before else { return latest };
    let weight = 1.0 - (-measured.as_secs_f64() / MEMORY.as_secs_f64()).exp();
    before + (latest - before) * weight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_follows_a_change_within_a_minute() {
        let mut rate = Some(100.0);

        for _ in 0..60 {
            rate = Some(average(rate, 10.0, Duration::from_secs(1)));
        }

        assert!((10.0..12.0).contains(&rate.unwrap()), "{rate:?}");
    }
}
