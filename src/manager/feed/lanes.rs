//! The units that wait for a worker by their groups, each of which has a lane.
//!
//! Lanes take turns: a unit is handed out of the first lane that is ready, which then goes behind the others. A lane with as many running
//! units as its group may have, one whose group is held, or whose next start is not due yet, is not among those that are ready, so
//! that nobody waits for it. Within a lane those that came back go before fresh ones, which have their turn all the same.

mod lane;
mod reading;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::origin::Origin;
use super::step::following;
use crate::model::{Group, Groups, Seq, Timestamp, Unit};

pub(super) use lane::{Lane, Place};
pub(in crate::manager) use reading::LaneRead;

/// The lane of units without a group: the one that a job ends with.
pub(super) const UNGROUPED: u32 = 0;

/// The lanes of a job.
#[derive(Debug)]
pub(super) struct Lanes {
    pub lanes: Vec<Lane>,
    names: HashMap<Arc<str>, u32>,
    /// Those of which a unit may start, in their turn.
    ready: VecDeque<u32>,
    /// Those whose next unit may start at a time.
    later: BinaryHeap<Reverse<(Instant, u32)>>,
    /// Those of which not all units were read, in their turn.
    unread: VecDeque<u32>,
    /// Units that a group may run at a time, unless it has a limit of its own.
    most: usize,
    interval: Duration,
    max_failures: Option<u64>,
    /// Units that wait, and those of them that came back.
    len: usize,
    due: usize,
    /// Whether what waits here had to make room, and nothing has been ready since.
    is_tight: bool,
    /// Number of the last unit of which is known that it was there when what is to be read was last looked at.
    known_through: Seq,
}

impl Lanes {
    /// Makes the lanes of a job's groups; no unit of a group that has a rate starts before `first_start`.
    pub fn new(limits: &Groups, groups: Vec<Group>, known_through: Seq, floor: Seq, first_start: Instant) -> Lanes {
        let mut lanes = Lanes {
            lanes: vec![Lane::ungrouped()],
            names: HashMap::new(),
            ready: VecDeque::new(),
            later: BinaryHeap::new(),
            unread: VecDeque::new(),
            most: usize::MAX,
            interval: Duration::ZERO,
            max_failures: None,
            len: 0,
            due: 0,
            is_tight: false,
            known_through,
        };
        lanes.follow(limits);
        lanes.learn(groups, known_through, floor, first_start);
        lanes
    }

    /// Takes up the bounds of the job's groups.
    pub fn follow(&mut self, limits: &Groups) {
        self.most = limits.most.unwrap_or(usize::MAX);
        let interval = limits.rate.map_or(Duration::ZERO, |rate| rate.interval());
        let before = std::mem::replace(&mut self.interval, interval);
        if before != interval {
            for lane in &mut self.lanes {
                // As far from its latest start as the new rate has it.
                lane.next_start = (lane.next_start + interval).checked_sub(before).unwrap_or(lane.next_start);
                if lane.place == Place::Later {
                    lane.place = Place::Idle;
                }
            }
        }
        self.max_failures = limits.max_failures;
        (0..self.lanes.len() as u32).for_each(|lane| self.settle(lane));
    }

    /// Takes up what the rows say: new groups, limits of their own, holds that somebody has ended. Everything is to be read again.
    pub fn learn(&mut self, groups: Vec<Group>, known_through: Seq, floor: Seq, first_start: Instant) {
        for group in groups {
            let index = match self.names.get(group.name.as_str()) {
                Some(index) => *index,
                None => {
                    let name: Arc<str> = group.name.as_str().into();
                    let index = self.lanes.len() as u32;
                    self.names.insert(Arc::clone(&name), index);
                    self.lanes.push(Lane::new(name, Seq(group.read_through).max(floor), first_start));
                    index
                }
            };
            self.lanes[index as usize].learn(&group);
            self.settle(index);
        }
        self.known_through = known_through;
        self.look_again();
    }

    /// Returns the lane of a group.
    pub fn find(&self, group: &str) -> Option<u32> {
        self.names.get(group).copied()
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn due(&self) -> usize {
        self.due
    }

    /// Puts a unit, whose lane is known, behind the others of its kind.
    pub fn push(&mut self, origin: Origin, unit: Unit) {
        let index = unit.lane.unwrap_or(UNGROUPED);
        self.lanes[index as usize].push(origin, unit);
        self.len += 1;
        self.due += usize::from(origin == Origin::Due);
        self.settle(index);
    }

    /// Has those be ready whose next start is due.
    pub fn refresh(&mut self, now: Instant) {
        while let Some(Reverse((at, index))) = self.later.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.later.pop();
            let lane = &mut self.lanes[index as usize];
            // One that has started a unit since is here twice.
            if lane.place == Place::Later && lane.next_start <= at {
                lane.place = Place::Idle;
                self.settle(index);
            }
        }
    }

    /// Returns when the next lane is ready whose units start at a rate.
    pub fn next_start(&self) -> Option<Instant> {
        self.later.peek().map(|Reverse((at, _))| *at)
    }

    /// Returns the next unit, which stays; none when no lane is ready.
    pub fn front(&self) -> Option<&Unit> {
        self.lanes[*self.ready.front()? as usize].front()
    }

    /// Takes the next unit.
    pub fn pop(&mut self) -> Option<Unit> {
        let index = self.ready.pop_front()?;
        let lane = &mut self.lanes[index as usize];
        lane.place = Place::Idle;
        let (unit, origin) = lane.pop()?;
        lane.running += 1;
        if !self.interval.is_zero() && index != UNGROUPED {
            let now = Instant::now();
            lane.next_start = following(now, lane.next_start, self.interval);
        }
        self.len -= 1;
        self.due -= usize::from(origin == Origin::Due);
        self.settle(index);
        Some(unit)
    }

    /// Returns `true` if one more unit of that lane is to be read soon.
    pub fn is_low(&self, lane: u32) -> bool {
        let share = self.share();
        let lane = &self.lanes[lane as usize];
        !lane.is_read && lane.fresh() <= share / 2
    }

    /// Counts one less that runs.
    pub fn end(&mut self, index: u32) {
        self.lanes[index as usize].running -= 1;
        self.settle(index);
    }

    /// Lets no more units of a group run at a time than whoever they ask can take; none lets all run that may.
    pub fn adapt(&mut self, index: u32, most: Option<usize>) {
        self.lanes[index as usize].adapted = most;
        self.settle(index);
    }

    /// Returns how many units of a group may run at a time if whoever they ask can take all of them, and how many run.
    pub fn bound_of(&self, index: u32) -> (usize, usize) {
        let lane = &self.lanes[index as usize];
        (lane.bound(self.most), lane.running)
    }

    fn room_of(&self, index: u32) -> usize {
        let lane = &self.lanes[index as usize];
        let room = if self.interval.is_zero() { lane.most(self.most).saturating_sub(lane.running) } else { 1 };
        lane.len().min(room)
    }

    /// Returns `true` if a lane is ready.
    pub fn is_any_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Returns all units, about in the order in which they are handed out.
    pub fn iter(&self) -> impl Iterator<Item = &Unit> {
        self.ready.iter().flat_map(|index| self.lanes[*index as usize].iter().take(self.room_of(*index)))
    }

    /// Returns the lanes with units that wait.
    pub fn occupied(&self) -> Vec<u32> {
        (0..self.lanes.len() as u32).filter(|index| self.lanes[*index as usize].len() > 0).collect()
    }

    /// Holds a group until a time, never a shorter one than before.
    pub fn hold(&mut self, index: u32, until: Timestamp) {
        let lane = &mut self.lanes[index as usize];
        if index != UNGROUPED && lane.held_until.is_none_or(|before| before < until) {
            lane.held_until = Some(until);
            self.settle(index);
        }
    }

    /// Ends holds that are over, and returns when the next one is.
    pub fn follow_holds(&mut self, now: Timestamp) -> Option<Timestamp> {
        let mut next = None;
        for index in 0..self.lanes.len() as u32 {
            let Some(until) = self.lanes[index as usize].held_until else { continue };
            if until <= now {
                self.lanes[index as usize].held_until = None;
                self.settle(index);
            } else if self.lanes[index as usize].stopped.is_none() {
                next = next.into_iter().chain([until]).min();
            }
        }
        next
    }

    /// Brings the ends of holds forward.
    pub fn shorten_holds(&mut self, step: Duration) {
        for lane in &mut self.lanes {
            let shorter = |until: Timestamp| {
                let step = i64::try_from(step.as_micros()).unwrap_or(i64::MAX);
                Timestamp::from_micros(until.as_micros().saturating_sub(step))
            };
            lane.held_until = lane.held_until.map(shorter);
        }
    }

    /// Lets no more of a group start, whose units have failed too often.
    pub fn stop(&mut self, group: &str, why: &str) {
        if let Some(index) = self.find(group) {
            self.lanes[index as usize].stopped = Some(why.into());
            self.settle(index);
        }
    }

    /// Returns the groups of which no more start until the job is started again.
    pub fn stopped(&self) -> Vec<(&str, &str)> {
        self.lanes.iter().filter_map(|lane| Some((&*lane.name, lane.stopped.as_deref()?))).collect()
    }

    /// Puts a lane where it belongs.
    fn settle(&mut self, index: u32) {
        let lane = &mut self.lanes[index as usize];
        let most = if index == UNGROUPED { usize::MAX } else { lane.most(self.most) };
        let place = match () {
            () if lane.len() == 0 => Place::Idle,
            () if lane.is_held() || lane.running >= most => Place::Shut,
            () if !self.interval.is_zero() && index != UNGROUPED && lane.next_start > Instant::now() => Place::Later,
            () => Place::Ready,
        };
        let before = std::mem::replace(&mut lane.place, place);
        if before == place {
            return;
        }
        if before == Place::Ready {
            self.ready.retain(|ready| *ready != index);
        }
        match place {
            Place::Ready => self.ready.push_back(index),
            Place::Later => self.later.push(Reverse((lane.next_start, index))),
            Place::Idle | Place::Shut => {}
        }
    }
}

#[cfg(test)]
mod tests;
