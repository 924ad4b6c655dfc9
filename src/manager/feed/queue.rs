//! The units that wait for a worker: those that came back and are due before fresh ones, which have their turn all the same.

use std::collections::VecDeque;

use super::lanes::Lanes;
use super::origin::Origin;
use crate::model::Unit;

/// Units that are due of which so many go before a fresh one that waits.
const DUE_IN_A_ROW: usize = 4;

/// Units in the order in which they are handed out.
#[derive(Default)]
pub(super) struct Queue {
    due: VecDeque<Unit>,
    fresh: VecDeque<Unit>,
    /// Units that were due and went before a fresh one that waits.
    in_a_row: usize,
    /// In place of all that, where the units of the job have groups.
    pub lanes: Option<Box<Lanes>>,
}

impl Queue {
    /// Returns how many wait.
    pub fn len(&self) -> usize {
        self.lanes.as_ref().map_or(self.due.len() + self.fresh.len(), |lanes| lanes.len())
    }

    /// Returns `true` if none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many of them came back.
    pub fn due(&self) -> usize {
        self.lanes.as_ref().map_or(self.due.len(), |lanes| lanes.due())
    }

    /// Puts a unit behind the others of its kind.
    pub fn push(&mut self, origin: Origin, unit: Unit) {
        if let Some(lanes) = &mut self.lanes {
            return lanes.push(origin, unit);
        }
        match origin {
            Origin::Due => self.due.push_back(unit),
            Origin::Fresh => self.fresh.push_back(unit),
        }
    }

    /// Returns the next one, which stays; none where no group has one that may start.
    pub fn front(&self) -> Option<&Unit> {
        if let Some(lanes) = &self.lanes {
            return lanes.front();
        }
        if self.is_due_next() { self.due.front() } else { self.fresh.front() }
    }

    /// Takes the next one.
    pub fn pop(&mut self) -> Option<Unit> {
        if let Some(lanes) = &mut self.lanes {
            return lanes.pop();
        }
        if self.is_due_next() {
            self.in_a_row = if self.fresh.is_empty() { 0 } else { self.in_a_row + 1 };
            return self.due.pop_front();
        }
        self.in_a_row = 0;
        self.fresh.pop_front()
    }

    /// Returns those that may start as far as their groups are concerned, about in the order in which they are handed out.
    pub fn iter(&self) -> impl Iterator<Item = &Unit> {
        self.due.iter().chain(&self.fresh).chain(self.lanes.iter().flat_map(|lanes| lanes.iter()))
    }

    /// Takes all.
    pub fn take_all(&mut self) -> impl Iterator<Item = Unit> + use<> {
        self.in_a_row = 0;
        let (due, fresh) = (std::mem::take(&mut self.due), std::mem::take(&mut self.fresh));
        let grouped = self
            .lanes
            .as_mut()
            .map_or_else(Vec::new, |lanes| lanes.occupied().into_iter().flat_map(|lane| lanes.empty(lane)).collect());
        due.into_iter().chain(fresh).chain(grouped)
    }

    fn is_due_next(&self) -> bool {
        !self.due.is_empty() && (self.fresh.is_empty() || self.in_a_row < DUE_IN_A_ROW)
    }
}
