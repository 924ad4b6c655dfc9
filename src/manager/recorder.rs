//! The one thread that writes units: everything that arrived while the previous commit ran goes into the next one.
//!
//! There is no timer: an idle manager commits a single event at once, a busy one commits thousands together. A unit
//! counts as done when its commit has returned, and only then leaves the feed.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use super::error::chain;
use super::log::log_line;
use super::pulse::{HEARTBEAT_EVERY, Pulse};
use super::shared::Shared;
use crate::model::{Heartbeat, Seq, UnitId, UnitStatus};
use crate::store::{Fault, Recorded, Reign, Store, StoreError, UnitChange};

/// Events that may wait for a commit; workers wait when there are more.
pub(super) const CHANNEL_EVENTS: usize = 4096;
/// Events of one commit, so that its memory is bounded.
const BATCH_EVENTS: usize = 4096;
/// Pause before a commit is tried again on a full disk.
const FULL_RETRY: Duration = Duration::from_millis(250);
/// Tries of one commit against a busy database; each waits for SQLite's own timeout.
const BUSY_TRIES: u32 = 6;

/// Something that happened to a unit.
pub(super) enum Event {
    /// An attempt starts; whoever waits for the commit learns whether the unit may run.
    Started(UnitChange, Option<SyncSender<bool>>),
    /// An attempt ended; the sender, if any, learns when that is durable.
    Ended(UnitChange, Option<SyncSender<bool>>),
}

/// Writes events until all senders are gone.
pub(super) struct Recorder<'a> {
    store: Store,
    reign: Reign,
    shared: &'a Shared,
    events: Receiver<Event>,
    pulse: Pulse,
}

impl<'a> Recorder<'a> {
    pub fn new(store: Store, reign: Reign, shared: &'a Shared, events: Receiver<Event>) -> Self {
        Self { store, reign, shared, events, pulse: Pulse::new() }
    }

    /// Runs until the last worker has gone and everything it sent is committed.
    ///
    /// After an error it keeps taking events, so that no worker waits for it, and writes nothing more.
    pub fn run(mut self) {
        let mut batch = Vec::new();
        loop {
            match self.events.recv_timeout(HEARTBEAT_EVERY) {
                Ok(event) => {
                    batch.push(event);
                    batch.extend(self.events.try_iter().take(BATCH_EVENTS - 1));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            if let Err(error) = self.commit(&mut batch) {
                log_line!("error: {}", chain(&error));
                self.shared.fail(error.into());
                while self.events.recv().is_ok() {}
                return;
            }
        }
    }

    fn commit(&mut self, batch: &mut Vec<Event>) -> Result<(), StoreError> {
        let (changes, waiting) = merge(batch.drain(..));
        self.pulse.count(changes.iter().filter(|change| change.to.is_terminal()).count());
        let heartbeat = self.pulse.beat();
        if changes.is_empty() && heartbeat.is_none() {
            return Ok(());
        }
        // The mark moves with the heartbeat only: it saves reading at the next start, and costs a walk of the feed.
        let claimed_through = heartbeat.map(|_| self.shared.feed.claimed_through());
        let recorded = self.record_patiently(&changes, claimed_through, heartbeat)?;
        for unit in &recorded.lost {
            log_line!("unit {unit} was changed by a client meanwhile, this manager leaves it alone");
        }
        for (unit, waiter) in waiting {
            // A worker waits for the answer as long as it lives.
            let _ = waiter.send(!recorded.lost.contains(&unit));
        }
        self.shared.feed.release(changes.iter().filter(|change| change.to != UnitStatus::Running).map(|c| c.unit));
        Ok(())
    }

    /// Commits; a full disk is waited out, a busy database is tried a few times more.
    fn record_patiently(
        &mut self,
        changes: &[UnitChange],
        claimed_through: Option<Seq>,
        heartbeat: Option<Heartbeat>,
    ) -> Result<Recorded, StoreError> {
        let mut busy = 0;
        let mut full = false;
        loop {
            let error = match self.store.record(self.reign, changes, claimed_through, heartbeat) {
                Ok(recorded) => {
                    if full {
                        log_line!("the disk has space again, going on");
                    }
                    return Ok(recorded);
                }
                Err(error) => error,
            };
            match error.fault() {
                Some(Fault::Busy) if busy < BUSY_TRIES => busy += 1,
                Some(Fault::Full) if !self.shared.is_ending_units() => {
                    if !full {
                        log_line!("{}; waiting for space, {} changes are kept in memory", chain(&error), changes.len());
                    }
                    full = true;
                    std::thread::sleep(FULL_RETRY);
                }
                _ => return Err(error),
            }
        }
    }
}

type Waiting = Vec<(UnitId, SyncSender<bool>)>;

/// Turns events into changes, one for a unit whose attempt started and ended within this commit.
fn merge(events: impl ExactSizeIterator<Item = Event>) -> (Vec<UnitChange>, Waiting) {
    let mut changes: Vec<UnitChange> = Vec::with_capacity(events.len());
    let mut waiting = Vec::new();
    let mut starts: HashMap<UnitId, usize> = HashMap::new();
    for event in events {
        match event {
            Event::Started(change, waiter) => {
                waiting.extend(waiter.map(|waiter| (change.unit, waiter)));
                starts.insert(change.unit, changes.len());
                changes.push(change);
            }
            // The end says everything that the start would have said, and takes its place.
            Event::Ended(change, waiter) => {
                waiting.extend(waiter.map(|waiter| (change.unit, waiter)));
                match starts.remove(&change.unit) {
                    Some(place) => changes[place] = UnitChange { from: UnitStatus::Pending, ..change },
                    None => changes.push(change),
                }
            }
        }
    }
    (changes, waiting)
}
