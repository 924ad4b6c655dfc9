//! The manager's sign of life, and the rate at which units have ended lately.

use std::time::{Duration, Instant};

use super::shared::Shared;
use crate::model::Heartbeat;

/// Time between two heartbeats.
pub(super) const HEARTBEAT_EVERY: Duration = Duration::from_secs(1);
/// Time over which the rate is averaged; older seconds count less and less.
const MEMORY: Duration = Duration::from_secs(15);

/// Counts ended units and says when a heartbeat is due.
pub(super) struct RateMeter {
    last: Instant,
    ended: usize,
    rate: Option<f64>,
}

impl RateMeter {
    pub fn new() -> Self {
        Self { last: Instant::now(), ended: 0, rate: None }
    }

    /// Counts units that have ended.
    pub fn count(&mut self, ended: usize) {
        self.ended += ended;
    }

    /// Returns a heartbeat when one is due.
    pub fn beat(&mut self, shared: &Shared) -> Option<Heartbeat> {
        let elapsed = self.last.elapsed();
        if elapsed < HEARTBEAT_EVERY {
            return None;
        }
        let rate_per_second = average(self.rate, self.ended as f64 / elapsed.as_secs_f64(), elapsed);
        let (workers, running) = (shared.limits().workers, shared.under_way().len());
        let (waits, adapted) = (shared.waits(), shared.adaptation.adapted());
        *self = Self { last: Instant::now(), ended: 0, rate: Some(rate_per_second) };
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
