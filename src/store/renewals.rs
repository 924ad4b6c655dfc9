//! When the lease of a manager was last renewed, for whoever must know that without an answer of the server.
//!
//! It counts from before the request that renewed the lease: by the clock of the server it ends later.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Lease, Store};
use crate::model::Timestamp;

/// Time after which a renewal shows that a manager lives, which has nothing to record for longer and longer.
const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// What the stores of a manager have noted about its lease.
#[derive(Debug)]
pub struct Renewals {
    clock: fn() -> Duration,
    latest: Mutex<Renewal>,
}

/// One renewal.
#[derive(Debug, Clone, Copy)]
struct Renewal {
    asked_at: Duration,
    length: Duration,
    /// What it has left in the manager's row, by the clock of the server.
    left: Option<Timestamp>,
}

impl Renewals {
    /// Begins with a lease of that length for which was asked at `asked_at`, by a clock that counts on while the machine sleeps.
    pub fn new(clock: fn() -> Duration, asked_at: Duration, length: Duration) -> Arc<Renewals> {
        Arc::new(Renewals { clock, latest: Mutex::new(Renewal { asked_at, length, left: None }) })
    }

    /// Returns the time that the latest renewal has left in the manager's row.
    #[cfg(feature = "postgres")]
    pub(super) fn left(&self) -> Option<Timestamp> {
        self.lock().left
    }

    /// Returns until when units may run unless the lease is renewed, by that clock. The rest of the lease is for their end.
    pub fn units_may_run_until(&self) -> Duration {
        let Renewal { asked_at, length, .. } = *self.lock();
        asked_at + length * 2 / 3
    }

    fn keep(&self, renewal: Renewal) {
        let mut latest = self.lock();
        *latest = match renewal.asked_at >= latest.asked_at {
            true => renewal,
            // Two connections renew it: this one has asked first, and may have been answered last.
            false => Renewal { length: latest.length.min(renewal.length), ..*latest },
        };
    }

    fn lock(&self) -> MutexGuard<'_, Renewal> {
        // No code between lock and unlock can leave it half changed.
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The renewal that a transaction makes, if somebody wants to know of it.
pub(super) struct Renewing {
    renewals: Option<Arc<Renewals>>,
    renewal: Option<Renewal>,
}

impl Renewing {
    /// Returns for how long the lease was last renewed, if that is known.
    pub fn length(&self) -> Option<Duration> {
        self.renewals.as_ref().map(|renewals| renewals.lock().length)
    }

    /// Says that the lease is about to be renewed if a sixth of it is over, or a sign of life is due; returns for how long then.
    pub fn due(&mut self) -> Option<Duration> {
        let renewals = self.renewals.as_ref()?;
        let Renewal { asked_at, length, .. } = *renewals.lock();
        if (renewals.clock)() < asked_at + (length / 6).min(SIGN_OF_LIFE) {
            return None;
        }
        self.ask(length);
        Some(length)
    }

    /// Says that the lease is about to be renewed for that long.
    pub fn ask(&mut self, length: Duration) {
        self.renewal =
            self.renewals.as_ref().map(|renewals| Renewal { asked_at: (renewals.clock)(), length, left: None });
    }

    /// Says what the renewal leaves in the manager's row.
    pub fn leave(&mut self, at: Timestamp) {
        if let Some(renewal) = &mut self.renewal {
            renewal.left = Some(at);
        }
    }

    /// Says that the transaction was kept.
    pub fn succeed(self) {
        if let (Some(renewals), Some(renewal)) = (self.renewals, self.renewal) {
            renewals.keep(renewal);
        }
    }
}

impl Store {
    /// Notes from now on when this store renews a lease.
    pub fn note_renewals(&mut self, lease: Lease, renewals: &Arc<Renewals>) {
        self.renewals = Some((lease, Arc::clone(renewals)));
    }

    /// Begins to note what one transaction does about a lease.
    pub(super) fn renewing(&self) -> Renewing {
        Renewing { renewals: self.renewals.as_ref().map(|(_, renewals)| Arc::clone(renewals)), renewal: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn renewal(asked_at: u64, length: u64) -> Renewal {
        Renewal { asked_at: s(asked_at), length: s(length), left: None }
    }

    #[test]
    fn units_may_run_for_two_thirds_of_the_lease_from_the_last_request() {
        let renewals = Renewals::new(|| s(0), s(10), s(60));
        assert_eq!(renewals.units_may_run_until(), s(50));

        renewals.keep(renewal(30, 60));

        assert_eq!(renewals.units_may_run_until(), s(70));
    }

    #[test]
    fn a_request_that_was_made_before_the_last_one_renews_nothing_and_may_have_found_a_shorter_lease() {
        let renewals = Renewals::new(|| s(0), s(30), s(60));

        renewals.keep(renewal(20, 60));
        assert_eq!(renewals.units_may_run_until(), s(70));
        renewals.keep(renewal(25, 30));

        assert_eq!(renewals.units_may_run_until(), s(50));
    }
}
