//! Units of whose end somebody is still to be told.

use super::Feed;
use super::state::MOST_REPORTS;

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
}
