//! The units between the database and the workers.
//!
//! A unit is in hand from the moment it is put here until its end is committed. Its row says pending for a part of
//! that time, which is why the coordinator may read it again and why it is then skipped: no unit runs twice at once.

mod admission;
mod groups;
mod lanes;
mod level;
mod origin;
mod pace;
mod queue;
mod ranges;
mod reports;
mod spending;
mod state;
mod step;

use std::collections::HashSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::gate::Gate;
use crate::model::{Seq, Unit, UnitId};
use crate::store::UnitRange;

use admission::Admission;
pub(super) use admission::MeterRate;
pub(super) use level::{FEED_UNITS, LOW_UNITS, Level};
pub(super) use origin::Origin;
use queue::Queue;
use ranges::Ranges;
use state::{Held, State, ready};
use step::following;

/// A bounded queue with a memory of what it handed out.
pub(super) struct Feed {
    state: Mutex<State>,
    unit_ready: Condvar,
    room: Condvar,
}

impl Feed {
    /// Makes an open feed without units.
    pub fn new() -> Self {
        let state = State {
            queue: Queue::default(),
            in_hand: BTreeMap::new(),
            bytes: 0,
            ranges: Ranges::default(),
            released: HashSet::new(),
            has_sent_back: false,
            closed: false,
            hurried: false,
            interval: Duration::ZERO,
            next_take: Instant::now(),
            running: 0,
            busy: 0,
            most_busy: usize::MAX,
            most_adapted: usize::MAX,
            stalled: false,
            has_failed_enough: false,
            suspended: false,
            reports: 0,
            most_running: usize::MAX,
            gate: Gate::OPEN,
            admission: Admission::default(),
        };
        Self { state: Mutex::new(state), unit_ready: Condvar::new(), room: Condvar::new() }
    }

    /// Waits for a unit to run; none when the feed is closed. `had` is what the unit took that the worker has ended, 0 when
    /// it had none.
    pub fn take(&self, had: usize) -> Option<Unit> {
        let mut state = self.lock();
        if had > 0 {
            self.give_back(&mut state, had);
        }
        loop {
            if state.closed {
                return None;
            }
            let next_start = state.refresh_lanes();
            if !state.may_start() {
                state = self.unit_ready.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            if !state.queue.is_empty()
                && let Some(wait) = state.admission.wait().filter(|_| !state.is_free())
            {
                (state, _) = self.unit_ready.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            if !state.queue.is_empty() && (state.interval > Duration::ZERO || state.most_running != usize::MAX) {
                let wait = state.next_take.saturating_duration_since(Instant::now());
                if wait > Duration::ZERO {
                    (state, _) = self.unit_ready.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
                state.next_take = following(Instant::now(), state.next_take, state.interval);
            }
            if let Some(unit) = state.queue.pop() {
                if state.queue.len() == LOW_UNITS || state.queue.is_empty() {
                    self.room.notify_all();
                }
                state.running += 1;
                state.busy += unit.slots;
                state.gate.pass();
                state.admission.take(unit.id);
                if state.is_low(&unit) {
                    self.room.notify_all();
                }
                return Some(unit);
            }
            state = self.wait_for_unit(state, next_start);
        }
    }

    /// Returns `true` if a worker may take a unit now.
    #[cfg(test)]
    pub fn has_room(&self) -> bool {
        self.lock().may_start() && !self.lock().queue.is_empty()
    }

    /// Does what a worker does that has ended a unit and takes no other.
    #[cfg(test)]
    pub fn end_taken(&self) {
        self.give_back(&mut self.lock(), 1);
    }

    fn give_back(&self, state: &mut State, slots: usize) {
        let waited = !state.may_start();
        state.running -= 1;
        state.busy -= slots;
        if waited && state.may_start() {
            // Somebody may have waited for that; after a large unit there is room for several.
            if slots > 1 || !state.is_even() { self.unit_ready.notify_all() } else { self.unit_ready.notify_one() }
        }
    }

    /// Waits until the feed is closed, or for that time; returns `true` if it is closed.
    pub fn is_closed_within(&self, time: Duration) -> bool {
        let waited = self.room.wait_timeout_while(self.lock(), time, |state| !state.closed);
        waited.unwrap_or_else(PoisonError::into_inner).0.closed
    }

    /// Returns `true` if units are to run again since it was last read what is due.
    pub fn has_sent_back(&self) -> bool {
        self.lock().has_sent_back
    }

    /// Begins a round of reading, maybe of what is due: what is read may be put here, if its end is not committed meanwhile.
    pub fn begin_reading(&self, reads_due: bool) {
        let mut state = self.lock();
        state.released.clear();
        state.has_sent_back &= !reads_due;
    }

    /// Adds a range that was claimed.
    pub fn add(&self, range: UnitRange) {
        let State { ranges, in_hand, .. } = &mut *self.lock();
        ranges.forget_read(in_hand.keys().map(|unit| unit.seq()));
        ranges.add(range);
    }

    /// Returns `true` if all that was claimed has been read, and there may be units beyond it.
    pub fn needs_range(&self) -> bool {
        let state = self.lock();
        state.ranges.have_end() && state.ranges.next().is_none()
    }

    /// Returns what is to be read next for first attempts; none when all has been read.
    pub fn next_range(&self) -> Option<UnitRange> {
        self.lock().ranges.next()
    }

    /// Queues units for their first attempt, which are the first of a range, or all of it that wait.
    ///
    /// Returns false, and takes none, when units before them have to be read again: they then come in their order.
    pub fn put_fresh(&self, range: UnitRange, units: Vec<Unit>, are_all: bool) -> bool {
        let mut state = self.lock();
        let last = units.last().filter(|_| !state.closed).map_or(range.after, |unit| unit.id.seq());
        let is_next = state.ranges.advance(range, last, are_all);
        if is_next {
            self.enqueue(state, Origin::Fresh, units);
        }
        is_next
    }

    /// Queues units that came back and are due.
    pub fn put_due(&self, units: Vec<Unit>) {
        self.enqueue(self.lock(), Origin::Due, units);
    }

    /// Queues units that are neither in hand nor out of date.
    fn enqueue(&self, mut state: MutexGuard<'_, State>, origin: Origin, mut units: Vec<Unit>) {
        if state.closed {
            return;
        }
        units.retain(|unit| !state.released.contains(&unit.id));
        for unit in units {
            if let Entry::Vacant(place) = state.in_hand.entry(unit.id) {
                let held = *place.insert(Held::of(origin, &unit));
                state.bytes += held.bytes;
                state.queue.push(origin, unit);
            }
        }
        self.unit_ready.notify_all();
    }

    /// Forgets units whose end has been committed; some of them may be to run again.
    pub fn release(&self, units: impl IntoIterator<Item = UnitId>, are_some_sent_back: bool) {
        let mut state = self.lock();
        state.has_sent_back |= are_some_sent_back;
        for unit in units {
            if state.let_go(unit).is_some() {
                state.released.insert(unit);
                state.admission.give_back(unit);
            }
        }
        if !state.admission.is_open() {
            // What one of them has left may be enough for the next.
            self.unit_ready.notify_all();
        }
        self.room.notify_all();
    }

    /// Drops what no worker has taken, so that it is read again as it is by then.
    pub fn recall(&self) {
        let mut state = self.lock();
        for unit in state.queue.take_all() {
            state.give_up(unit.id);
        }
        state.ranges.look_again();
        if let Some(lanes) = &mut state.queue.lanes {
            lanes.look_again();
        }
    }

    /// Drops what no worker has taken, forgets the ranges of which no unit is in hand, and returns those that are.
    pub fn forget_idle(&self) -> Vec<Seq> {
        self.recall();
        let State { ranges, in_hand, .. } = &mut *self.lock();
        ranges.forget_idle(in_hand.keys().map(|unit| unit.seq()));
        in_hand.keys().map(|unit| unit.seq()).collect()
    }

    /// Lets no worker take a unit any more.
    pub fn close(&self) {
        self.lock().closed = true;
        self.recall();
        self.unit_ready.notify_all();
        self.room.notify_all();
    }

    /// Returns how full the feed is.
    pub fn level(&self) -> Level {
        let state = self.lock();
        Level {
            queued: state.queue.len(),
            due: state.queue.due(),
            bytes: state.bytes,
            ready: ready(&state, Instant::now()),
            busy: state.busy,
            running: state.running,
            in_hand: state.in_hand.len(),
        }
    }

    /// Returns of each range what may wait for its first attempt.
    pub fn rests(&self) -> Vec<UnitRange> {
        let state = self.lock();
        if let Some(rest) = state.rest_of_lanes() {
            return vec![rest];
        }
        let mut ranges = state.ranges.clone();
        let fresh = state.in_hand.iter().filter(|(_, held)| held.origin == Origin::Fresh);
        fresh.for_each(|(unit, _)| ranges.go_back(unit.seq()));
        ranges.rests()
    }

    /// Waits until the workers have taken or ended units since `seen`, or the time is over.
    pub fn wait_for_change(&self, seen: Level, timeout: Duration) {
        let unchanged = |state: &mut State| state.queue.len() == seen.queued && state.in_hand.len() == seen.in_hand;
        // Why it returned does not matter: the caller looks again in any case.
        let _ = self.room.wait_timeout_while(self.lock(), timeout, unchanged).unwrap_or_else(PoisonError::into_inner);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code between lock and unlock can leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
