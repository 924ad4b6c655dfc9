//! The time that retries, holds and rows go by.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::model::Timestamp;

/// Where a manager reads the time.
#[derive(Debug, Clone)]
pub(crate) enum Clock {
    /// The machine's.
    Wall,
    /// One that stands still and skips the times in which nothing could happen.
    Fake(FakeClock),
}

impl Clock {
    /// Returns the time.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Wall => Timestamp::now(),
            Self::Fake(clock) => clock.now(),
        }
    }

    /// Returns `true` if this clock stands still by design.
    pub fn is_fake(&self) -> bool {
        matches!(self, Self::Fake(_))
    }

    /// Skips the time until `due`, if this clock can.
    pub fn skip_to(&self, due: Timestamp) {
        match self {
            Self::Wall => {}
            Self::Fake(clock) => clock.skip_to(due),
        }
    }
}

/// A clock for tests: it stands still while units run, and skips every wait for a retry or a pause at once.
///
/// Clones are the same clock.
#[derive(Debug, Clone)]
pub struct FakeClock(Arc<AtomicI64>);

impl FakeClock {
    /// Makes a clock that shows `start`.
    pub fn at(start: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(start.as_micros())))
    }

    /// Returns the time it shows.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }

    /// Moves it on.
    pub fn advance(&self, span: Duration) {
        self.skip_to(self.now() + span);
    }

    fn skip_to(&self, due: Timestamp) {
        self.0.fetch_max(due.as_micros(), Ordering::Relaxed);
    }
}
