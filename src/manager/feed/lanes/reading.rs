//! How far the units of each group have been read for first attempts, and which come next.

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use super::{Lane, Lanes, UNGROUPED};
use crate::manager::feed::FEED_UNITS;
use crate::model::{Seq, Unit, UnitId};

/// Most lanes that are looked at for one round of reading.
const MOST_LOOKS: usize = 4096;

/// What is to be read of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::manager) struct LaneRead {
    pub lane: u32,
    /// Name of the group; none of the units without one.
    pub group: Option<String>,
    pub after: Seq,
    /// No more units.
    pub units: usize,
}

impl Lane {
    fn read(&self, lane: u32, share: usize, room: &mut usize) -> LaneRead {
        let units = (share - self.fresh()).min(*room);
        *room -= units;
        let group = (lane != UNGROUPED).then(|| self.name.to_string());
        LaneRead { lane, group, after: self.at, units }
    }
}

impl Lanes {
    /// Returns how many units of a lane are kept ready.
    pub fn share(&self) -> usize {
        (FEED_UNITS / self.unread.len().max(1)).clamp(1, FEED_UNITS)
    }

    /// Returns what is to be read next, so that no more than those units wait in all for their first attempt.
    pub fn wanted(&mut self) -> Vec<LaneRead> {
        let (share, now) = (self.share(), Instant::now());
        let mut room = self.room();
        let (mut wanted, mut shut) = (Vec::new(), Vec::new());
        for _ in 0..self.unread.len().min(MOST_LOOKS) {
            if room == 0 {
                break;
            }
            let Some(index) = self.unread.pop_front() else { break };
            let is_open = self.is_open(index, now);
            let lane = &mut self.lanes[index as usize];
            if lane.is_read {
                lane.is_in_turn = false;
                continue;
            }
            self.unread.push_back(index);
            if lane.is_held() || lane.fresh() > share / 2 {
                continue;
            }
            if is_open {
                wanted.push(lane.read(index, share, &mut room));
            } else {
                shut.push(index);
            }
        }
        // Those of which no unit may start at present come last.
        for index in shut {
            if room > 0 && !self.is_tight {
                wanted.push(self.lanes[index as usize].read(index, share, &mut room));
            }
        }
        wanted
    }

    /// Returns how many further fresh units may wait here.
    fn room(&self) -> usize {
        FEED_UNITS.saturating_sub(self.len - self.due)
    }

    /// Returns `true` if a unit of a lane may start, were there one.
    fn is_open(&self, index: u32, now: Instant) -> bool {
        let lane = &self.lanes[index as usize];
        let has_turn = self.interval.is_zero() || lane.next_start <= now;
        index == UNGROUPED || (!lane.is_held() && lane.running < lane.most(self.most) && has_turn)
    }

    /// Returns the lanes whose units are to make room for others, because nothing may start of all that waits here, and there
    /// may be units elsewhere that could.
    pub fn crowded(&mut self) -> Vec<u32> {
        if self.is_any_ready() || self.len < FEED_UNITS {
            self.is_tight &= !self.is_any_ready();
            return Vec::new();
        }
        self.is_tight = true;
        self.occupied()
    }

    /// Takes the units of a lane that wait.
    pub fn empty(&mut self, index: u32) -> VecDeque<Unit> {
        let lane = &mut self.lanes[index as usize];
        self.len -= lane.len();
        self.due -= lane.due();
        let units = lane.take_all();
        self.settle(index);
        units
    }

    /// Returns `true` if units may be read that may start some time without anybody's doing.
    pub fn has_unread(&self) -> bool {
        self.unread.iter().any(|index| {
            let lane = &self.lanes[*index as usize];
            !lane.is_read && !lane.is_held()
        })
    }

    /// Notes that a lane was read up to a unit; false when units before that are to be read again.
    pub fn advance(&mut self, read: &LaneRead, last: Option<Seq>, is_last: bool) -> bool {
        let lane = &mut self.lanes[read.lane as usize];
        if lane.at != read.after {
            return false;
        }
        lane.at = last.unwrap_or(lane.at);
        lane.is_read = is_last;
        true
    }

    /// Goes back before a unit of a lane that is to be read again.
    pub fn go_back(&mut self, index: u32, unit: Seq) {
        let lane = &mut self.lanes[index as usize];
        lane.at = lane.at.min(unit.before());
        self.read_again(index);
    }

    /// Has all of them be looked at again: units may have come back or been added.
    pub fn look_again(&mut self) {
        (1..self.lanes.len() as u32).for_each(|index| self.read_again(index));
    }

    /// Has the unit be looked for that a job ends with.
    pub fn expect_ungrouped(&mut self) {
        self.lanes[UNGROUPED as usize].at = Seq(0);
        self.read_again(UNGROUPED);
    }

    /// Has units behind that one be read again, of every group.
    pub fn begin_again(&mut self, after: Seq) {
        self.lanes.iter_mut().for_each(|lane| lane.at = lane.at.min(after));
        self.look_again();
    }

    fn read_again(&mut self, index: u32) {
        let lane = &mut self.lanes[index as usize];
        lane.is_read = false;
        if !std::mem::replace(&mut lane.is_in_turn, true) {
            self.unread.push_back(index);
        }
    }

    /// Returns the groups of which no further units that came back are to be read: enough wait, or none may start.
    pub fn sated(&self) -> Vec<String> {
        let (share, now) = ((self.share() / 2).max(1), Instant::now());
        let is_sated = |index: &u32| {
            let lane = &self.lanes[*index as usize];
            lane.is_held() || lane.due() >= share || (self.is_tight && !self.is_open(*index, now))
        };
        let sated = (1..self.lanes.len() as u32).filter(is_sated);
        sated.map(|index| self.lanes[index as usize].name.to_string()).collect()
    }

    /// Returns how far nobody has to look at any unit again, given those in hand for their first attempt.
    pub fn read_through(&self, in_hand: impl Iterator<Item = Seq>) -> Seq {
        let unread = self.unread.iter().map(|index| &self.lanes[*index as usize]);
        let unread = unread.filter(|lane| !lane.is_read).map(|lane| lane.at);
        in_hand.map(Seq::before).chain(unread).fold(self.known_through, Seq::min)
    }

    /// Returns the groups of which more was read than their rows say, and how much, given those in hand for their first attempt.
    pub fn marks(&mut self, in_hand: impl Iterator<Item = (UnitId, u32)>) -> Vec<(String, Seq)> {
        let mut first: HashMap<u32, Seq> = HashMap::new();
        for (unit, lane) in in_hand {
            let place = first.entry(lane).or_insert(Seq::MAX);
            *place = unit.seq().before().min(*place);
        }
        let mut marks = Vec::new();
        for (index, lane) in self.lanes.iter_mut().enumerate().skip(1) {
            let mark = first.get(&(index as u32)).map_or(lane.at, |first| lane.at.min(*first));
            if mark > lane.kept {
                lane.kept = mark;
                marks.push((lane.name.to_string(), mark));
            }
        }
        marks
    }
}
