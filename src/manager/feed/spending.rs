//! How many units budgets and rates of meters let start.

use std::time::Duration;

use super::{Feed, MeterRate};

impl Feed {
    /// Lets so many attempts be under way, and no more start than the rates allow.
    pub fn admit(&self, most: Option<usize>, rates: &[MeterRate]) {
        let mut state = self.lock();
        state.admission.update(most, rates);
        self.unit_ready.notify_all();
    }

    /// Returns `true` if units wait, none is under way, and the budget lets none start.
    pub fn is_over_budget(&self) -> bool {
        let state = self.lock();
        !state.queue.is_empty() && state.under_way() == 0 && !state.admission.has_room(0) && !state.is_free()
    }

    /// Returns `true` if no unit waits for a worker, and no attempt is under way but so many that have ended: their commit may be the last.
    pub fn may_end_with(&self, ended: usize) -> bool {
        let state = self.lock();
        state.queue.is_empty() && state.under_way() <= ended
    }

    /// Returns how long the next attempt waits for the rate of a meter.
    pub fn waits_for_meter(&self) -> Option<Duration> {
        self.lock().admission.wait()
    }
}
