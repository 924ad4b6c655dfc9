//! What the manager's threads share.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::error::ManagerError;
use super::feed::Feed;
use crate::model::Seq;
use crate::sys::Waker;

/// State that every thread of the manager sees.
pub(super) struct Shared {
    /// Units on their way to the workers.
    pub feed: Feed,
    ending: AtomicBool,
    stop_units: Waker,
    first_error: OnceLock<ManagerError>,
}

impl Shared {
    pub fn new(stop_units: Waker, claimed_through: Seq) -> Self {
        Self {
            feed: Feed::new(claimed_through),
            ending: AtomicBool::new(false),
            stop_units,
            first_error: OnceLock::new(),
        }
    }

    /// Keeps the first error of any thread, stops the feed and ends the running units.
    pub fn fail(&self, error: ManagerError) {
        // Later errors are consequences of the first.
        let _ = self.first_error.set(error);
        self.end_units();
        self.feed.close();
    }

    /// Says whether some thread has failed.
    pub fn has_failed(&self) -> bool {
        self.first_error.get().is_some()
    }

    /// Returns the first error, once all threads have ended.
    pub fn into_error(self) -> Option<ManagerError> {
        self.first_error.into_inner()
    }

    /// Ends the running units; each goes back to pending.
    pub fn end_units(&self) {
        self.ending.store(true, Ordering::Relaxed);
        self.stop_units.wake();
    }

    /// Says whether running units are being ended.
    pub fn is_ending_units(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }
}
