//! A feed of units that have groups.

use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::lanes::{LaneRead, Lanes};
use super::origin::Origin;
use super::state::State;
use super::{Feed, LOW_UNITS};
use crate::model::{Group, Groups, Seq, Timestamp, Unit};
use crate::store::UnitRange;

impl State {
    /// Has those groups take part again whose rate lets them, and returns when the next one does.
    pub(super) fn refresh_lanes(&mut self) -> Option<Instant> {
        let lanes = self.queue.lanes.as_mut()?;
        lanes.refresh(Instant::now());
        lanes.next_start()
    }

    /// Returns `true` if further units of the group of one that was taken are to be read soon.
    pub(super) fn is_low(&self, taken: &Unit) -> bool {
        taken.lane.zip(self.queue.lanes.as_ref()).is_some_and(|(lane, lanes)| lanes.is_low(lane))
    }

    /// Returns what may wait for its first attempt, where units have groups.
    pub(super) fn rest_of_lanes(&self) -> Option<UnitRange> {
        let lanes = self.queue.lanes.as_ref()?;
        let fresh = self.in_hand.iter().filter(|(_, held)| held.origin == Origin::Fresh);
        let after = lanes.read_through(fresh.map(|(unit, _)| unit.seq()));
        Some(UnitRange { after, through: Seq::MAX })
    }
}

impl Feed {
    /// Takes a unit as [`Feed::take`] does, after one whose group has one less that runs by then.
    pub fn take_after(&self, in_lane: Option<u32>, had: usize) -> Option<Unit> {
        if let Some(lane) = in_lane {
            let mut state = self.lock();
            if let Some(lanes) = &mut state.queue.lanes {
                lanes.end(lane);
            }
        }
        self.take(had)
    }

    pub(super) fn wait_for_unit<'a>(
        &self,
        state: MutexGuard<'a, State>,
        next_start: Option<Instant>,
    ) -> MutexGuard<'a, State> {
        let Some(at) = next_start else {
            return self.unit_ready.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        let wait = at.saturating_duration_since(Instant::now());
        self.unit_ready.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Hands units out by their groups from now on, or takes up what has changed about these. Units that are there when this is asked
    /// have numbers up to `known_through`, and none up to `floor` waits for its first attempt. No unit of a group with a rate that
    /// is new here starts before `first_start`.
    pub fn know_groups(
        &self,
        limits: &Groups,
        groups: Vec<Group>,
        known_through: Seq,
        floor: Seq,
        first_start: Instant,
    ) {
        let mut state = self.lock();
        match &mut state.queue.lanes {
            Some(lanes) => {
                lanes.follow(limits);
                lanes.learn(groups, known_through, floor, first_start);
            }
            none => *none = Some(Box::new(Lanes::new(limits, groups, known_through, floor, first_start))),
        }
        self.give_up_held(&mut state);
        self.unit_ready.notify_all();
    }

    /// Returns `true` if units are handed out by their groups.
    pub fn has_groups(&self) -> bool {
        self.lock().queue.lanes.is_some()
    }

    /// Takes up what bounds each group.
    pub fn limit_groups(&self, limits: &Groups) {
        if let Some(lanes) = &mut self.lock().queue.lanes {
            lanes.follow(limits);
        }
        self.unit_ready.notify_all();
    }

    /// Lets no unit of a group start before `until`; those that wait here are read again later.
    pub fn hold_lane(&self, lane: u32, until: Timestamp) {
        let mut state = self.lock();
        if let Some(lanes) = &mut state.queue.lanes {
            lanes.hold(lane, until);
        }
        self.give_up_held(&mut state);
    }

    /// Lets no unit of some groups start until the job is started again, each with the reason.
    pub fn stop_groups(&self, stopped: &[(String, String)]) {
        if stopped.is_empty() {
            return;
        }
        let mut state = self.lock();
        if let Some(lanes) = &mut state.queue.lanes {
            stopped.iter().for_each(|(group, why)| lanes.stop(group, why));
        }
        self.give_up_held(&mut state);
        self.room.notify_all();
    }

    /// Returns the groups of which no unit starts until the job is started again, and why.
    pub fn stopped_groups(&self) -> Vec<(String, String)> {
        let state = self.lock();
        let stopped = state.queue.lanes.iter().flat_map(|lanes| lanes.stopped());
        stopped.map(|(name, why)| (name.to_owned(), why.to_owned())).collect()
    }

    /// Ends holds of groups that are over by `now`, and returns when the next one is.
    pub fn follow_holds(&self, now: Timestamp) -> Option<Timestamp> {
        let mut state = self.lock();
        let lanes = state.queue.lanes.as_mut()?;
        let next = lanes.follow_holds(now);
        if lanes.is_any_ready() {
            self.unit_ready.notify_all();
        }
        next
    }

    /// Returns how many groups are held until a time, and the first of those times, where nothing else waits or runs.
    pub fn held_groups(&self) -> Option<(usize, Timestamp)> {
        let state = self.lock();
        let lanes = state.queue.lanes.as_ref().filter(|lanes| state.in_hand.is_empty() && !lanes.has_unread())?;
        let ends = || lanes.lanes.iter().filter(|lane| lane.stopped.is_none()).filter_map(|lane| lane.held_until);
        Some((ends().count(), ends().min()?))
    }

    /// Brings the ends of holds of groups forward.
    pub fn shorten_holds(&self, step: Duration) {
        if let Some(lanes) = &mut self.lock().queue.lanes {
            lanes.shorten_holds(step);
        }
    }

    /// Returns `true` if the next unit waits for nothing but the rate of its group, and when it starts.
    pub fn waits_for_group_rate(&self) -> Option<Duration> {
        let state = self.lock();
        let lanes = state.queue.lanes.as_ref().filter(|lanes| lanes.len() > 0 && !lanes.is_any_ready())?;
        Some(lanes.next_start()?.saturating_duration_since(Instant::now()))
    }

    /// Returns what of which groups is to be read next for first attempts.
    pub fn wanted(&self) -> Vec<LaneRead> {
        let mut state = self.lock();
        if state.closed {
            return Vec::new();
        }
        let crowded = state.queue.lanes.as_mut().map_or_else(Vec::new, |lanes| lanes.crowded());
        crowded.into_iter().for_each(|lane| self.empty_lane(&mut state, lane));
        // Memory is bounded, whatever the sizes of units; one that a worker may wait for is read all the same.
        let has_room = !super::level::is_full(state.bytes) || !state.is_any_lane_ready();
        state.queue.lanes.as_mut().filter(|_| has_room).map_or_else(Vec::new, |lanes| lanes.wanted())
    }

    /// Queues units of a group for their first attempt; takes none when units before them have to be read again.
    pub fn put_of_lane(&self, read: &LaneRead, mut units: Vec<Unit>, is_last: bool) {
        let mut state = self.lock();
        let last = units.last().map(|unit| unit.id.seq());
        let is_closed = state.closed;
        let Some(lanes) = state.queue.lanes.as_mut().filter(|_| !is_closed) else { return };
        if lanes.advance(read, last, is_last) {
            units.iter_mut().for_each(|unit| unit.lane = Some(read.lane));
            self.enqueue(state, Origin::Fresh, units);
        }
    }

    /// Queues units that came back and are due, each with its group; those of groups that are not known yet are read again.
    pub fn put_due_of_groups(&self, units: Vec<(Unit, Option<String>)>) {
        let mut state = self.lock();
        let Some(lanes) = &state.queue.lanes else { return };
        let mut known = Vec::new();
        let mut has_strange = false;
        for (unit, group) in units {
            let lane = group.map_or(Some(super::lanes::UNGROUPED), |group| lanes.find(&group));
            has_strange |= lane.is_none();
            known.extend(lane.map(|lane| Unit { lane: Some(lane), ..unit }));
        }
        state.has_sent_back |= has_strange;
        self.enqueue(state, Origin::Due, known);
    }

    /// Returns the groups of which no further units that came back are to be read.
    pub fn sated(&self) -> Vec<String> {
        self.lock().queue.lanes.as_ref().map_or_else(Vec::new, |lanes| lanes.sated())
    }

    /// Returns `true` if further units that came back are to be read, of some groups.
    pub fn has_room_for_due(&self) -> bool {
        let state = self.lock();
        state.queue.due() < LOW_UNITS && (!super::level::is_full(state.bytes) || state.queue.is_empty())
    }

    /// Returns `true` if units may be read for their first attempt.
    pub fn has_unread(&self) -> bool {
        let state = self.lock();
        match &state.queue.lanes {
            Some(lanes) => lanes.has_unread(),
            None => state.ranges.next().is_some(),
        }
    }

    /// Has the unit be looked for that the job ends with.
    pub fn expect_ungrouped(&self) {
        if let Some(lanes) = &mut self.lock().queue.lanes {
            lanes.expect_ungrouped();
        }
    }

    /// Takes up a range that was claimed: units of all groups behind its beginning are read again.
    pub fn add_to_lanes(&self, range: UnitRange) {
        let mut state = self.lock();
        state.ranges.add(range);
        state.ranges.advance(range, range.through, true);
        if let Some(lanes) = &mut state.queue.lanes {
            lanes.begin_again(range.after);
        }
    }

    /// Returns the groups of which more was read since this was last asked, and up to which unit.
    pub fn read_marks(&self) -> Vec<(String, Seq)> {
        let State { queue, in_hand, .. } = &mut *self.lock();
        let Some(lanes) = &mut queue.lanes else { return Vec::new() };
        let fresh = in_hand.iter().filter(|(_, held)| held.origin == Origin::Fresh);
        lanes.marks(fresh.filter_map(|(unit, held)| Some((*unit, held.lane?))))
    }

    /// Drops what waits of groups that are held, so that it takes no room from others.
    fn give_up_held(&self, state: &mut State) {
        let Some(lanes) = &state.queue.lanes else { return };
        let held = lanes.occupied().into_iter().filter(|lane| lanes.lanes[*lane as usize].is_held());
        held.collect::<Vec<_>>().into_iter().for_each(|lane| self.empty_lane(state, lane));
    }

    fn empty_lane(&self, state: &mut State, lane: u32) {
        let units = state.queue.lanes.as_mut().map(|lanes| lanes.empty(lane)).unwrap_or_default();
        units.into_iter().for_each(|unit| state.give_up(unit.id));
    }
}

impl State {
    fn is_any_lane_ready(&self) -> bool {
        self.queue.lanes.as_ref().is_some_and(|lanes| lanes.is_any_ready())
    }
}
