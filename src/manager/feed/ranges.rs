//! How far the ranges of a manager have been read for first attempts.

use std::collections::{BTreeMap, HashSet};

use crate::model::Seq;
use crate::store::UnitRange;

/// Ranges that do not overlap, by their last numbers.
#[derive(Debug, Default, Clone)]
pub(super) struct Ranges(BTreeMap<Seq, Cursor>);

#[derive(Debug, Clone, Copy)]
struct Cursor {
    /// Number of the last unit that was read.
    at: Seq,
    /// Whether there was none behind it.
    is_last: bool,
}

impl Ranges {
    /// Adds a range of which nothing has been read.
    pub fn add(&mut self, range: UnitRange) {
        self.0.insert(range.through, Cursor { at: range.after, is_last: false });
    }

    /// Forgets those that have been read and of which none of some units is in hand: nothing in them is waited for here.
    pub fn forget_read(&mut self, in_hand: impl Iterator<Item = Seq>) {
        let held = self.that_hold(in_hand);
        self.0.retain(|through, cursor| !cursor.is_last || held.contains(through));
    }

    /// Forgets those of which none of some units is in hand, whether or not they have been read.
    pub fn forget_idle(&mut self, in_hand: impl Iterator<Item = Seq>) {
        let held = self.that_hold(in_hand);
        self.0.retain(|through, _| held.contains(through));
    }

    /// Returns the last numbers of those that have one of some units.
    fn that_hold(&self, units: impl Iterator<Item = Seq>) -> HashSet<Seq> {
        units.filter_map(|unit| Some(*self.0.range(unit..).next()?.0)).collect()
    }

    /// Returns `true` if units may be beyond all of them.
    pub fn have_end(&self) -> bool {
        !self.0.contains_key(&Seq::MAX)
    }

    /// Returns what is to be read next: the rest of the first one that may have a rest.
    pub fn next(&self) -> Option<UnitRange> {
        let (&through, cursor) = self.0.iter().find(|(_, cursor)| !cursor.is_last)?;
        Some(UnitRange { after: cursor.at, through })
    }

    /// Notes that a rest was read up to a unit; false when units before it are to be read again.
    pub fn advance(&mut self, read: UnitRange, at: Seq, is_last: bool) -> bool {
        let cursor = self.0.get_mut(&read.through).filter(|cursor| cursor.at == read.after);
        cursor.map(|cursor| *cursor = Cursor { at, is_last }).is_some()
    }

    /// Goes back before a unit that is to be read again.
    pub fn go_back(&mut self, unit: Seq) {
        if let Some((_, cursor)) = self.0.range_mut(unit..).next() {
            cursor.at = cursor.at.min(unit.before());
        }
    }

    /// Has all of them be looked at again: units may have come back or been added.
    pub fn look_again(&mut self) {
        self.0.values_mut().for_each(|cursor| cursor.is_last = false);
    }

    /// Returns the rest of each.
    pub fn rests(&self) -> Vec<UnitRange> {
        self.0.iter().map(|(&through, cursor)| UnitRange { after: cursor.at, through }).collect()
    }
}
