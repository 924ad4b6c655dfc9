//! Units of whose end somebody is still to be told, and how long the recorder waits for more of them.

use std::sync::PoisonError;
use std::time::Instant;

use super::Feed;
use super::state::{MOST_REPORTS, State};

impl Feed {
    /// Counts a unit of whose end somebody is to be told; where there are far too many, no unit starts.
    pub fn begin_report(&self) {
        self.lock().reports += 1;
    }

    /// Counts one less of them.
    pub fn end_report(&self) {
        let mut state = self.lock();
        state.reports -= 1;
        if state.reports == MOST_REPORTS {
            self.unit_ready.notify_all();
        }
    }

    /// Returns how many units wait for somebody to be told of them, where that keeps others from starting.
    pub fn reports_too_many(&self) -> Option<usize> {
        Some(self.lock().reports).filter(|reports| *reports > MOST_REPORTS)
    }

    /// Has the recorder commit at once: somebody waits for it.
    pub fn hurry(&self) {
        self.lock().hurried = true;
        self.room.notify_all();
    }

    /// Lets the recorder wait for more until `until`, while the workers have units to go on with and nobody waits.
    pub fn rest_until(&self, until: Instant) {
        let time = until.saturating_duration_since(Instant::now());
        let is_calm = |state: &mut State| !state.queue.is_empty() && !state.hurried;
        let waited = self.room.wait_timeout_while(self.lock(), time, is_calm);
        waited.unwrap_or_else(PoisonError::into_inner).0.hurried = false;
    }
}
