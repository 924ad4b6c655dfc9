//! What holds units back that are ready: the rate, the machine, a lack, a disk that is full, a lease that has run out.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::{Feed, State};
use crate::manager::gate::Gate;
use crate::model::UnitId;

impl Feed {
    /// Lets fewer units run at the same time than do now, and none start for a moment: one that a worker has taken could
    /// not be started for want of something.
    pub fn hold_back(&self, pause: Duration) {
        let mut state = self.lock();
        state.most_running = state.running.saturating_sub(1).clamp(1, state.most_running);
        state.next_take = state.next_take.max(Instant::now() + pause);
    }

    /// Lets a few more units run at the same time, after they were held back, and returns `true` if all `workers` have
    /// one again.
    pub fn let_more_run(&self, workers: usize) -> bool {
        let mut state = self.lock();
        if state.most_running < workers {
            state.most_running += 1 + state.most_running / 8;
        }
        let is_over = state.most_running >= workers;
        if is_over {
            state.most_running = usize::MAX;
        }
        self.unit_ready.notify_all();
        is_over
    }

    /// Lets no unit start while the ends of those that run cannot be recorded.
    pub fn stall(&self, stalled: bool) {
        let mut state = self.lock();
        if std::mem::replace(&mut state.stalled, stalled) && !stalled {
            self.unit_ready.notify_all();
        }
    }

    /// Lets no unit start while the manager has no lease.
    pub fn suspend(&self, suspended: bool) {
        let mut state = self.lock();
        if std::mem::replace(&mut state.suspended, suspended) && !suspended {
            self.unit_ready.notify_all();
        }
    }

    /// Lets start what the machine has room for.
    pub fn set_gate(&self, gate: Gate) {
        let mut state = self.lock();
        if gate != state.gate {
            state.gate = gate;
            self.unit_ready.notify_all();
        }
    }

    /// Lets workers have no more than `most` units at the same time, and returns how many they have; those above that come
    /// to their end.
    pub fn limit_workers(&self, most: usize) -> usize {
        let mut state = self.lock();
        if most > state.most_busy {
            self.unit_ready.notify_all();
        }
        state.most_busy = most;
        state.busy
    }

    /// Lets workers have no more than `most` units at the same time besides what else limits them.
    pub fn adapt_workers(&self, most: usize) {
        let mut state = self.lock();
        if most > state.most_adapted {
            self.unit_ready.notify_all();
        }
        state.most_adapted = most;
    }

    /// Lets no more units of a group run at a time than whoever they ask can take; none lets all run that may.
    pub fn adapt_lane(&self, lane: u32, most: Option<usize>) {
        if let Some(lanes) = &mut self.lock().queue.lanes {
            lanes.adapt(lane, most);
        }
        self.unit_ready.notify_all();
    }

    /// Returns how many units of a group may run at a time if whoever they ask can take all of them, and how many run.
    pub fn bound_of_lane(&self, lane: u32) -> (usize, usize) {
        self.lock().queue.lanes.as_ref().map_or((usize::MAX, 0), |lanes| lanes.bound_of(lane))
    }

    /// Returns the lane of a group that is known.
    pub fn find_lane(&self, group: &str) -> Option<u32> {
        self.lock().queue.lanes.as_ref()?.find(group)
    }

    /// Returns the names of the groups with those lanes.
    pub fn named_lanes(&self, of: impl Iterator<Item = (u32, usize)>) -> Vec<(String, usize)> {
        let state = self.lock();
        let Some(lanes) = &state.queue.lanes else { return Vec::new() };
        of.map(|(lane, number)| (lanes.lanes[lane as usize].name.to_string(), number)).collect()
    }

    /// Waits until the end of a unit is committed, or the feed is closed.
    pub fn wait_for_commit(&self, unit: UnitId) {
        let waits = |state: &mut State| !state.closed && state.in_hand.contains_key(&unit);
        // What it waited for is looked at with the next unit.
        drop(self.room.wait_while(self.lock(), waits).unwrap_or_else(PoisonError::into_inner));
    }

    /// Lets no unit start while so many have failed that the job is about to halt.
    pub fn fail_enough(&self, is_enough: bool) {
        self.lock().has_failed_enough = is_enough;
        self.unit_ready.notify_all();
    }

    /// Hands units out no faster than one in `interval`, the first one after `wait`.
    pub fn limit_rate(&self, interval: Duration, wait: Duration) {
        let mut state = self.lock();
        state.interval = interval;
        state.next_take = Instant::now() + wait;
        self.unit_ready.notify_all();
    }

    /// Hands units out no faster than one in `interval` from the latest one on.
    pub fn change_interval(&self, interval: Duration) {
        let mut state = self.lock();
        let next = state.next_take + interval;
        state.next_take = next.checked_sub(state.interval).unwrap_or(next);
        state.interval = interval;
        self.unit_ready.notify_all();
    }
}
