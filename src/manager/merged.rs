//! What one commit of the recorder has to write.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::SyncSender;

use super::events::Event;
use crate::handler::UnitReport;
use crate::model::{Amount, UnitId, UnitNotes};
use crate::store::UnitChange;

/// The events of one commit, sorted.
pub(super) struct Merged {
    pub changes: Vec<UnitChange>,
    pub notes: Vec<(UnitId, i64, UnitNotes)>,
    pub spends: Vec<(UnitId, Vec<(String, Amount)>)>,
    pub waiting: Vec<(UnitId, SyncSender<bool>)>,
    pub reports: Vec<(UnitId, Box<UnitReport>)>,
    /// Where units have ended.
    pub slots: BTreeSet<usize>,
}

/// Turns events into changes, one for a unit whose attempt started and ended within this commit.
pub(super) fn merge(events: impl ExactSizeIterator<Item = Event>) -> Merged {
    let mut changes: Vec<UnitChange> = Vec::with_capacity(events.len());
    let (mut notes, mut spends) = (Vec::new(), Vec::new());
    let mut waiting = Vec::new();
    let mut reports = Vec::new();
    let mut slots = BTreeSet::new();
    let mut starts: BTreeMap<UnitId, usize> = BTreeMap::new();
    for event in events {
        match event {
            Event::Started(change, waiter) => {
                waiting.extend(waiter.map(|waiter| (change.unit, waiter)));
                starts.insert(change.unit, changes.len());
                changes.push(change);
            }
            // The end says everything that the start would have said, and takes its place.
            Event::Ended { change, slot, waiter, report } => {
                slots.insert(slot);
                waiting.extend(waiter.map(|waiter| (change.unit, waiter)));
                reports.extend(report.map(|report| (change.unit, report)));
                match starts.remove(&change.unit) {
                    Some(place) => {
                        let UnitChange { from, seen_attempts, .. } = changes[place];
                        changes[place] = UnitChange { from, seen_attempts, ..change };
                    }
                    None => changes.push(change),
                }
            }
            Event::Noted(unit, revision, said, waiter) => {
                waiting.extend(waiter.map(|waiter| (unit, waiter)));
                notes.push((unit, revision, said));
            }
            Event::Spent(unit, amounts, waiter) => {
                waiting.push((unit, waiter));
                spends.push((unit, amounts));
            }
        }
    }
    Merged { changes, notes, spends, waiting, reports, slots }
}
