//! The time that retries, holds and rows go by.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::model::Timestamp;
use crate::store::SMALL_STEP;
use crate::sys;

/// Where a manager reads the time.
#[derive(Debug, Clone)]
pub(crate) enum Clock {
    /// The machine's.
    Wall,
    /// A server's, which all hosts of a job follow, by the time since the machine was started and how much that lags behind.
    Server(Arc<AtomicI64>),
    /// One that stands still and skips the times in which nothing could happen.
    Fake(FakeClock),
}

impl Clock {
    /// Returns this clock, or that of the store where it has one of its own, which shows `shown`.
    pub fn or_of_store(self, shown: Option<Timestamp>) -> Clock {
        match (self, shown) {
            (Self::Wall, Some(shown)) => Self::Server(Arc::new(AtomicI64::new(shown.as_micros() - since_boot()))),
            (clock, _) => clock,
        }
    }

    /// Returns the time.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Wall => Timestamp::now(),
            Self::Server(lag) => Timestamp::from_micros(since_boot() + lag.load(Ordering::Relaxed)),
            Self::Fake(clock) => clock.now(),
        }
    }

    /// Follows the store's clock, which shows `shown` and would show `expected` if nobody had set it. Returns how far it was set
    /// back, if by more than a small step: whatever waits for a time that was written before would wait that much longer.
    pub fn follow(&self, expected: Timestamp, shown: Timestamp) -> Option<Duration> {
        match self {
            // The store has no other than this one.
            Self::Wall => Some(expected.since(shown)).filter(|step| *step > SMALL_STEP),
            // Its machines keep it in time; what it shows is followed.
            Self::Server(lag) => {
                lag.store(shown.as_micros() - since_boot(), Ordering::Relaxed);
                None
            }
            Self::Fake(_) => None,
        }
    }

    /// Skips the time until `due`, if this clock can.
    pub fn skip_to(&self, due: Timestamp) {
        match self {
            Self::Wall | Self::Server(_) => {}
            Self::Fake(clock) => clock.skip_to(due),
        }
    }
}

fn since_boot() -> i64 {
    i64::try_from(sys::since_boot().as_micros()).unwrap_or(i64::MAX)
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
