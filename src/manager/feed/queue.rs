//! The units that wait for a worker: those that came back and are due before fresh ones, which have their turn all the same.

use std::collections::VecDeque;

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
}

impl Queue {
    /// Returns how many wait.
    pub fn len(&self) -> usize {
        self.due.len() + self.fresh.len()
    }

    /// Returns `true` if none waits.
    pub fn is_empty(&self) -> bool {
        self.due.is_empty() && self.fresh.is_empty()
    }

    /// Returns how many of them came back.
    pub fn due(&self) -> usize {
        self.due.len()
    }

    /// Puts a unit behind the others of its kind.
    pub fn push(&mut self, origin: Origin, unit: Unit) {
        match origin {
            Origin::Due => self.due.push_back(unit),
            Origin::Fresh => self.fresh.push_back(unit),
        }
    }

    /// Returns the next one, which stays.
    pub fn front(&self) -> Option<&Unit> {
        if self.is_due_next() { self.due.front() } else { self.fresh.front() }
    }

    /// Takes the next one.
    pub fn pop(&mut self) -> Option<Unit> {
        if self.is_due_next() {
            self.in_a_row = if self.fresh.is_empty() { 0 } else { self.in_a_row + 1 };
            return self.due.pop_front();
        }
        self.in_a_row = 0;
        self.fresh.pop_front()
    }

    /// Returns all, about in the order in which they are handed out.
    pub fn iter(&self) -> impl Iterator<Item = &Unit> {
        self.due.iter().chain(&self.fresh)
    }

    /// Takes all.
    pub fn take_all(&mut self) -> impl Iterator<Item = Unit> + use<> {
        let Queue { due, fresh, .. } = std::mem::take(self);
        due.into_iter().chain(fresh)
    }

    fn is_due_next(&self) -> bool {
        !self.due.is_empty() && (self.fresh.is_empty() || self.in_a_row < DUE_IN_A_ROW)
    }
}
