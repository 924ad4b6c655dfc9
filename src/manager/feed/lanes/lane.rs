//! The units of one group that wait, and what bounds it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use crate::manager::feed::origin::Origin;
use crate::model::{Group, Seq, Timestamp, Unit};

/// Units that are due of which so many go before a fresh one that waits.
const DUE_IN_A_ROW: u8 = 4;

/// Where a lane is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// No unit of it waits.
    Idle,
    /// One may start.
    Ready,
    /// One may start at a time.
    Later,
    /// As many run as may, or the group is held.
    Shut,
}

/// A group, as its manager sees it.
#[derive(Debug)]
pub struct Lane {
    pub name: Arc<str>,
    /// Its own limit, in place of that of each group.
    own_most: Option<usize>,
    /// What whoever its units ask can take, where the job adapts that.
    pub adapted: Option<usize>,
    /// Units that workers have taken and not ended.
    pub running: usize,
    /// Those that came back, then the fresh ones.
    units: VecDeque<Unit>,
    due: usize,
    due_in_a_row: u8,
    pub next_start: Instant,
    pub held_until: Option<Timestamp>,
    /// When somebody lifted its latest hold, as far as that was seen.
    lifted: Option<Timestamp>,
    pub stopped: Option<Box<str>>,
    /// Number of the last unit that was read for its first attempt.
    pub at: Seq,
    /// What of that its row says.
    pub kept: Seq,
    /// Whether there was none behind it.
    pub is_read: bool,
    /// Whether it waits for its turn to be read.
    pub is_in_turn: bool,
    pub place: Place,
}

impl Lane {
    pub fn new(name: Arc<str>, read_through: Seq, next_start: Instant) -> Lane {
        Lane {
            name,
            own_most: None,
            adapted: None,
            running: 0,
            units: VecDeque::new(),
            due: 0,
            due_in_a_row: 0,
            next_start,
            held_until: None,
            lifted: None,
            stopped: None,
            at: read_through,
            kept: read_through,
            is_read: false,
            is_in_turn: false,
            place: Place::Idle,
        }
    }

    /// Makes the lane of the units without a group, of which none is there until the manager is told.
    pub fn ungrouped() -> Lane {
        Lane { is_read: true, ..Lane::new("".into(), Seq(0), Instant::now()) }
    }

    /// Takes up what its row says.
    pub fn learn(&mut self, group: &Group) {
        self.own_most = group.most;
        self.stopped = group.stopped.as_deref().map(Into::into);
        match &group.hold {
            // Without a reason it has been lifted; what was known before that counts no more.
            Some((until, why)) if why.is_empty() => {
                let before = self.lifted.replace(*until);
                self.held_until = if before == Some(*until) { self.held_until } else { Some(*until) };
            }
            Some((until, _)) => self.held_until = self.held_until.max(Some(*until)),
            None => {}
        }
    }

    pub fn most(&self, of_each: usize) -> usize {
        self.bound(of_each).min(self.adapted.unwrap_or(usize::MAX))
    }

    /// Returns how many units may run at a time if whoever they ask can take all of them.
    pub fn bound(&self, of_each: usize) -> usize {
        self.own_most.unwrap_or(of_each)
    }

    pub fn is_held(&self) -> bool {
        self.held_until.is_some() || self.stopped.is_some()
    }

    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// Returns how many wait for their first attempt.
    pub fn fresh(&self) -> usize {
        self.units.len() - self.due
    }

    /// Returns how many wait that came back.
    pub fn due(&self) -> usize {
        self.due
    }

    pub fn iter(&self) -> impl Iterator<Item = &Unit> {
        self.units.iter()
    }

    pub fn push(&mut self, origin: Origin, unit: Unit) {
        match origin {
            Origin::Due => {
                self.units.insert(self.due, unit);
                self.due += 1;
            }
            Origin::Fresh => self.units.push_back(unit),
        }
    }

    pub fn front(&self) -> Option<&Unit> {
        self.units.get(self.next())
    }

    pub fn pop(&mut self) -> Option<(Unit, Origin)> {
        let next = self.next();
        let unit = self.units.remove(next)?;
        if next == self.due {
            self.due_in_a_row = 0;
            return Some((unit, Origin::Fresh));
        }
        self.due -= 1;
        self.due_in_a_row = if self.fresh() == 0 { 0 } else { self.due_in_a_row + 1 };
        Some((unit, Origin::Due))
    }

    pub fn take_all(&mut self) -> VecDeque<Unit> {
        self.due = 0;
        std::mem::take(&mut self.units)
    }

    /// Returns the place of the next one: the first that came back, or the first that is fresh.
    fn next(&self) -> usize {
        let is_fresh_next = self.due == 0 || (self.fresh() > 0 && self.due_in_a_row >= DUE_IN_A_ROW);
        if is_fresh_next { self.due } else { 0 }
    }
}
