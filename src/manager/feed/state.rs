//! What a feed holds under its lock, and whether a unit of it may start.

use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, Instant};

use super::admission::Admission;
use super::origin::Origin;
use super::queue::Queue;
use super::ranges::Ranges;
use crate::manager::gate::Gate;
use crate::model::{Unit, UnitId};

/// Time within which a unit is about to start.
pub(super) const MOMENT: Duration = Duration::from_millis(50);

/// Units of whose end somebody may still have to be told while others start.
pub(super) const MOST_REPORTS: usize = 1024;

/// What the lock of a feed guards.
pub(super) struct State {
    pub queue: Queue,
    pub in_hand: BTreeMap<UnitId, Held>,
    /// What the units in hand hold in memory, about.
    pub bytes: usize,
    /// What the manager has claimed.
    pub ranges: Ranges,
    /// Units whose end was committed since the coordinator began to read: what it read of them is out of date.
    pub released: HashSet<UnitId>,
    /// Whether units are to run again that were not looked for since.
    pub has_sent_back: bool,
    pub closed: bool,
    /// Whether somebody waits for the next commit.
    pub hurried: bool,
    /// Time between two units that are handed out.
    pub interval: Duration,
    /// Before this time none is.
    pub next_take: Instant,
    /// Units that workers have taken and not given back.
    pub running: usize,
    /// Workers that those take.
    pub busy: usize,
    /// Workers that units may take at the same time.
    pub most_busy: usize,
    /// Workers that units may take at the same time, as far as whoever they ask can take it.
    pub most_adapted: usize,
    /// Whether ends of units cannot be recorded at present.
    pub stalled: bool,
    /// Whether so many have failed that the job is about to halt.
    pub has_failed_enough: bool,
    /// Whether the lease of the manager has run out.
    pub suspended: bool,
    /// Units of whose end somebody is still to be told.
    pub reports: usize,
    /// Units that may run at the same time, since one could not be started for want of something.
    pub most_running: usize,
    /// What the machine lets start.
    pub gate: Gate,
    /// What budgets and rates of meters let start.
    pub admission: Admission,
}

/// A unit in hand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub origin: Origin,
    /// The lane of its group, where it has one.
    pub lane: Option<u32>,
    /// What it holds in memory, about.
    pub bytes: usize,
}

impl Held {
    /// Describes a unit.
    pub fn of(origin: Origin, unit: &Unit) -> Held {
        Held { origin, lane: unit.lane, bytes: unit.bytes() }
    }
}

impl State {
    /// Forgets a unit in hand, and returns what it was.
    pub fn let_go(&mut self, unit: UnitId) -> Option<Held> {
        let held = self.in_hand.remove(&unit);
        self.bytes -= held.map_or(0, |held| held.bytes);
        held
    }

    /// Has a unit be read again later that was in hand and that no worker has taken.
    pub fn give_up(&mut self, unit: UnitId) {
        let Some(held) = self.let_go(unit) else { return };
        match (held.origin, held.lane, &mut self.queue.lanes) {
            (Origin::Fresh, Some(lane), Some(lanes)) => lanes.go_back(lane, unit.seq()),
            (Origin::Fresh, ..) => self.ranges.go_back(unit.seq()),
            (Origin::Due, ..) => self.has_sent_back = true,
        }
    }

    /// Returns `true` if the unit at the front may start, as far as workers and machine are concerned; without one, if a
    /// small one might.
    pub fn may_start(&self) -> bool {
        let slots = self.queue.front().map_or(1, |unit| unit.slots);
        // A unit that takes more workers than there are runs alone.
        let most = self.most_busy.min(self.most_adapted);
        let has_workers = self.busy + slots <= most || (self.busy == 0 && most > 0);
        let is_followed = !self.stalled && !self.suspended && !self.has_failed_enough && self.reports <= MOST_REPORTS;
        let has_budget = self.admission.has_room(self.under_way()) || self.is_free();
        is_followed && has_workers && has_budget && self.running < self.most_running && self.gate.is_open(self.running)
    }

    /// Returns `true` if nobody pays for the unit at the front: it is the one that the job ends with.
    pub fn is_free(&self) -> bool {
        self.queue.front().and_then(|unit| unit.key.as_deref()).is_some_and(Unit::is_last_key)
    }

    /// Returns how many attempts are under way, or have an end that is not committed: what they cost is not known.
    pub fn under_way(&self) -> usize {
        self.in_hand.len() - self.queue.len()
    }

    /// Returns `true` if the unit at the front takes one worker, as nearly all do.
    pub fn is_even(&self) -> bool {
        self.queue.front().is_none_or(|unit| unit.slots == 1)
    }
}

/// Returns how many workers those units take that may start within a moment from `now`.
pub(super) fn ready(state: &State, now: Instant) -> usize {
    let most = state.gate.most(state.running).min(state.most_running.saturating_sub(state.running));
    let most = most.min(state.admission.room(state.under_way()));
    let slots_of = |units: usize| state.queue.iter().take(units.min(most)).map(|unit| unit.slots).sum();
    if state.interval.is_zero() {
        return slots_of(state.queue.len());
    }
    let time = (now + MOMENT).saturating_duration_since(state.next_take);
    if time.is_zero() {
        return 0;
    }
    let starts = time.as_nanos() / state.interval.as_nanos() + 1;
    slots_of(usize::try_from(starts).unwrap_or(usize::MAX))
}
