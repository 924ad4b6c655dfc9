//! A worker: takes a unit, runs it, tells the recorder; in one slot, until the feed is closed.

use std::io::PipeReader;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::error::ManagerError;
use super::log::log_line;
use super::outbox::{Ended, Outbox};
use super::panics;
use super::policy::{self, Span};
use super::recorder::Event;
use super::shared::Shared;
use super::teller;
use crate::crash::crash_point;
use crate::handler::{Attempt, Callbacks, Desk, JobContext, Runner};
use crate::model::{AttemptEnd, Cause, OnInterrupt, Timestamp, Unit, UnitId, UnitNotes, UnitOutcome};
use crate::sys::SlotNotes;

/// What all workers of a job have in common.
pub(super) struct Crew<'a> {
    pub job: &'a JobContext,
    pub runner: Arc<dyn Runner>,
    pub callbacks: &'a Callbacks,
    pub shared: &'a Shared,
    pub notes: &'a SlotNotes,
    /// Becomes ready when running units are to be ended.
    pub stop: &'a PipeReader,
}

/// Works in one slot until the feed is closed; a panic in our own code ends the manager, and hangs nothing.
pub(super) fn work(crew: &Crew<'_>, slot: usize, events: SyncSender<Event>) {
    if let Err(message) = panics::catch(|| run_units(crew, slot, &events)) {
        crew.shared.fail(ManagerError::Panicked { message });
    }
}

fn run_units(crew: &Crew<'_>, slot: usize, events: &SyncSender<Event>) {
    let mut outbox = open_outbox(crew, slot);
    let mut uncommitted: Option<Receiver<bool>> = None;
    while let Some(unit) = crew.shared.feed.take() {
        let number = unit.attempts + 1;
        crew.notes.set(slot, note(&unit, number));
        crash_point!("unit-taken");
        let started_at = crew.shared.clock.now();
        match announce(crew, &unit, started_at, events) {
            Announced::Run => {}
            Announced::LeaveAlone => {
                crew.notes.set(slot, 0);
                crew.shared.feed.release([unit.id]);
                continue;
            }
            Announced::RecorderGone => return,
        }
        crash_point!("unit-announced");
        let end = run_attempt(crew, slot, &unit, number, events);
        let span = Span { started_at, ended_at: crew.shared.clock.now() };
        crash_point!("unit-ended");
        // The unit before this one had all of this one's time to become durable: this hardly ever waits.
        if uncommitted.take().is_some_and(|committed| committed.recv().is_err()) {
            return;
        }
        let waiter = outbox.as_mut().map(|outbox| {
            keep(outbox, crew, &unit, span, &end);
            let (waiter, committed) = sync_channel(1);
            uncommitted = Some(committed);
            waiter
        });
        crash_point!("unit-posted");
        crew.notes.set(slot, 0);
        let change = policy::ended(&unit, end, span, &crew.job.limits, crew.job.epoch);
        if let Some(hold) = &change.hold {
            crew.shared.hold(hold.until);
        }
        let report = crew.callbacks.wants(change.to).then(|| teller::report(crew.job, unit, &change));
        if events.send(Event::Ended { change, waiter, report }).is_err() {
            return;
        }
    }
}

/// Opens the slot's outbox, if the handler wants no unit to run again that has ended.
fn open_outbox(crew: &Crew<'_>, slot: usize) -> Option<Outbox> {
    if !crew.runner.commits_each_unit() {
        return None;
    }
    match Outbox::open(&crew.job.files, slot) {
        Ok(outbox) => Some(outbox),
        Err(error) => {
            log_line!("slot {slot} has no outbox, units that end just before a crash will run again: {error}");
            None
        }
    }
}

fn keep(outbox: &mut Outbox, crew: &Crew<'_>, unit: &Unit, span: Span, end: &AttemptEnd) {
    let ended = Ended {
        epoch: crew.job.epoch,
        seq: unit.id.seq(),
        attempt: unit.attempts + 1,
        span_us: (span.started_at.as_micros(), span.ended_at.as_micros()),
        end: end.clone(),
    };
    if let Err(error) = outbox.post(&ended) {
        log_line!("the end of unit {} is kept in memory only until its commit: {error}", unit.id);
    }
}

enum Announced {
    Run,
    LeaveAlone,
    RecorderGone,
}

/// Tells the recorder that an attempt starts; for units that must not run twice, waits until that is durable.
fn announce(crew: &Crew<'_>, unit: &Unit, at: Timestamp, events: &SyncSender<Event>) -> Announced {
    let change = policy::started(unit, at);
    match crew.job.limits.on_interrupt {
        OnInterrupt::Retry => match events.send(Event::Started(change, None)) {
            Ok(()) => Announced::Run,
            Err(_) => Announced::RecorderGone,
        },
        OnInterrupt::Fail => {
            let (answer, committed) = sync_channel(1);
            let sent = events.send(Event::Started(change, Some(answer)));
            match sent.ok().and_then(|()| committed.recv().ok()) {
                Some(true) => Announced::Run,
                Some(false) => Announced::LeaveAlone,
                None => Announced::RecorderGone,
            }
        }
    }
}

fn run_attempt(crew: &Crew<'_>, slot: usize, unit: &Unit, number: u32, events: &SyncSender<Event>) -> AttemptEnd {
    let desk = WorkerDesk { shared: crew.shared, events };
    let attempt = Attempt { job: crew.job, unit, number, slot, stop: crew.stop, desk: &desk };
    panics::catch(|| crew.runner.run(&attempt)).unwrap_or_else(|message| {
        UnitOutcome::Retry { cause: Cause::Panicked, error: format!("panicked: {message}"), delay: None }.into()
    })
}

/// What a worker offers to the handler it runs.
struct WorkerDesk<'a> {
    shared: &'a Shared,
    events: &'a SyncSender<Event>,
}

impl Desk for WorkerDesk<'_> {
    fn is_stopping(&self) -> bool {
        self.shared.is_stopping()
    }

    #[cfg(feature = "async")]
    fn is_ending_units(&self) -> bool {
        self.shared.is_ending_units()
    }

    fn note(&self, unit: UnitId, notes: UnitNotes, durable: bool) -> bool {
        if !durable {
            return self.events.send(Event::Noted(unit, notes, None)).is_ok();
        }
        let (waiter, committed) = sync_channel(1);
        self.events.send(Event::Noted(unit, notes, Some(waiter))).is_ok() && committed.recv() == Ok(true)
    }
}

/// Packs which attempt a slot runs into one word; never 0, because sequence numbers start at 1.
pub(super) fn note(unit: &Unit, attempt: u32) -> u64 {
    let seq = u64::try_from(unit.id.seq().0).expect("sequence numbers are positive");
    (seq << 32) | u64::from(attempt)
}
