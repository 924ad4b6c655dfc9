//! A worker: takes a unit, runs it, tells the recorder; in one slot, until the feed is closed.

mod offered;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tracing::{Span, debug, debug_span, warn};

use super::dispatcher::{self, CallbackDispatcher};
use super::error::ManagerError;
use super::events::{Event, Events};
use super::last_attempts::LastAttempts;
use super::panics;
use super::shared::Shared;
use super::spans::SpanExport;
use super::stops::SlotStop;
use crate::crash::crash_point;
use crate::handler::{Attempt, JobContext, Runner, limits_of};
use crate::model::{
    AttemptEnd, AttemptId, Cause, Metered, OnInterrupt, Timestamp, Unit, UnitOutcome, UnitStatus, chain,
};
use crate::recovery::policy;
use crate::recovery::{Ended, Outbox, RecorderGone, note};
use crate::sys::{SlotNotes, lack_of, opening};
use offered::WorkerAttempt;

/// Time between two tries at what a slot needs.
const OPEN_AGAIN: Duration = Duration::from_secs(1);

/// What all workers of a job have in common.
pub(super) struct WorkerContext<'a> {
    pub job: &'a JobContext,
    pub runner: Arc<dyn Runner>,
    pub dispatcher: &'a CallbackDispatcher,
    pub shared: &'a Shared,
    pub notes: &'a SlotNotes,
    pub last_attempts: &'a LastAttempts,
    /// The job's, in which workers are.
    pub span: &'a Span,
    /// Where spans of attempts go, if anywhere.
    pub spans: Option<&'a SpanExport>,
}

/// Works in one slot until the feed is closed; a panic in our own code ends the manager, and hangs nothing.
pub(super) fn work(worker_context: &WorkerContext<'_>, slot: usize, events: Events<'_>) {
    let _in_job = worker_context.span.enter();
    if let Err(message) = panics::catch(|| run_units(worker_context, slot, &events)) {
        worker_context.shared.fail(ManagerError::Panicked { message });
    }
}

fn run_units(worker_context: &WorkerContext<'_>, slot: usize, events: &Events<'_>) {
    let Some((stop, mut outbox)) = open_slot(worker_context, slot) else { return };
    let _vacated = Vacated(&stop);
    let mut had = 0;
    let mut in_lane = None;
    while let Some(unit) = worker_context.shared.feed.take_after(in_lane, had) {
        (had, in_lane) = (unit.slots, unit.lane);
        let _in_unit = debug_span!("unit", seq = unit.id.seq().0, key = unit.key).entered();
        let limits = worker_context.shared.limits();
        let own = match &unit.unreadable {
            Some(unreadable) => Err(unreadable.clone()),
            None => limits_of(&limits, &unit).map_err(|error| chain(&error)),
        };
        let (limits, unfit) = match own {
            Ok(Some(own)) => (Arc::new(own), None),
            Ok(None) => (limits, None),
            Err(error) => (limits, Some(error)),
        };
        let number = unit.attempts + 1;
        worker_context.notes.set(slot, note(&unit, number));
        crash_point!("unit-taken");
        let started_at = worker_context.shared.clock.now();
        // Before its start can be seen: whoever wants to end it then finds it here.
        let started_us = started_at.as_micros();
        stop.begin(AttemptId { seq: unit.id.seq(), revision: unit.revision, attempt: number, started_us });
        match announce(worker_context, &unit, (started_at, number_of(slot)), events) {
            Ok(true) => {}
            Ok(false) => {
                stop.finish(UnitOutcome::Interrupted.into());
                worker_context.notes.set(slot, 0);
                worker_context.shared.feed.release([unit.id], true);
                continue;
            }
            Err(RecorderGone) => return,
        }
        crash_point!("unit-announced");
        if worker_context.shared.is_ending_units() {
            stop.event.ring();
        }
        if worker_context.shared.is_suspended() {
            stop.give_up();
        }
        let control = WorkerAttempt {
            shared: worker_context.shared,
            stop: &stop,
            events,
            last_attempts: worker_context.last_attempts,
            revision: unit.revision,
            has_long_result: AtomicBool::new(false),
        };
        let attempt = Attempt {
            job: worker_context.job,
            unit: &unit,
            number,
            started_at,
            limits: &limits,
            slot,
            stop: &stop.event,
            control: &control,
        };
        let traceparent = || attempt.traceparent();
        let _in_attempt = debug_span!("attempt", number, slot = slot + 1, traceparent = traceparent()).entered();
        let began = Instant::now();
        let end = stop.finish(match unfit {
            Some(error) => UnitOutcome::Failed { cause: Cause::NotStarted, error }.into(),
            None => panics::catch(|| worker_context.runner.run(&attempt)).unwrap_or_else(|message| {
                let error = format!("panicked: {message}");
                let end = UnitOutcome::Retry { cause: Cause::Panicked, error, delay: None };
                AttemptEnd::from(end).metered(Metered::unknown(&limits.meters))
            }),
        });
        let end = match &limits.flag_if {
            Some(condition) if !unit.is_last() => condition.judge(end),
            _ => end,
        };
        if !limits.meters.is_empty() {
            let shared = worker_context.shared;
            shared.budgets.doubt(&shared.feed, &limits.meters, unit.id, &end.metered);
        }
        // The clock may have been set back meanwhile.
        let span = policy::Span {
            started_at,
            ended_at: worker_context.shared.clock.now().max(started_at),
            slot: Some(number_of(slot)),
        };
        crash_point!("unit-ended");
        if let UnitOutcome::NotStarted { lack, error } = &end.outcome {
            worker_context.shared.hold_back(*lack, error);
        }
        if limits.adapt.is_some() {
            let shared = worker_context.shared;
            shared.adaptation.count(&end.outcome, unit.lane, began, span.ended_at, &shared.feed);
        }
        if outbox.as_mut().is_some_and(|outbox| outbox.make_room().is_err()) {
            return;
        }
        let waiter = outbox.as_mut().map(|outbox| {
            let (waiter, posted) = outbox.post(&Ended::of(&unit, worker_context.job.epoch, span, &end));
            if let Err(error) = posted {
                warn!("the end of unit {} is kept in memory only until its commit: {error}", unit.id);
            }
            waiter
        });
        crash_point!("unit-posted");
        worker_context.notes.set(slot, 0);
        let change = policy::ended(&unit, end, span, &limits, worker_context.job.epoch);
        debug!(status = change.to.as_str(), error = change.error(), "the attempt has ended");
        if let Some(spans) = worker_context.spans {
            spans.attempt(&attempt, &change);
        }
        if let Some((until, _)) = change.hold() {
            worker_context.shared.hold(until);
        }
        if let (Some((until, _)), Some(lane)) = (change.group_hold(), unit.lane) {
            worker_context.shared.feed.hold_lane(lane, until);
        }
        // Whether another one may start is known with its commit.
        let failed = Some(unit.id).filter(|_| change.to == UnitStatus::Failed && limits.bounds_failures());
        let report = worker_context
            .dispatcher
            .wants(change.to)
            .then(|| Box::new(dispatcher::report(worker_context.job, unit, &change)));
        if events.send(Event::Ended { change, slot, waiter, report }).is_err() {
            return;
        }
        if let Some(failed) = failed {
            worker_context.shared.feed.wait_for_commit(failed);
        }
        // A long result leaves the memory with its commit only.
        if control.has_long_result.load(Ordering::Relaxed)
            && outbox.as_mut().is_some_and(|outbox| outbox.wait_for_commits().is_err())
        {
            return;
        }
    }
}

/// Says that nothing runs in a slot once its worker has gone, by a panic or for want of a recorder.
struct Vacated<'a>(&'a SlotStop);

impl Drop for Vacated<'_> {
    fn drop(&mut self) {
        self.0.vacate();
    }
}

/// Opens what a slot needs: its stop and, if the handler wants no unit to run again that has ended, its outbox. Waits for
/// what is lacking; `None` when the feed is closed before, or an error has ended the manager.
fn open_slot(worker_context: &WorkerContext<'_>, slot: usize) -> Option<(Arc<SlotStop>, Option<Outbox>)> {
    let stop = wait_for(worker_context, "open a worker slot", || worker_context.shared.open_slot())?;
    let outbox = || match worker_context.runner.commits_each_unit() {
        true => {
            let _opening = opening();
            Outbox::open(&worker_context.job.files, slot).map(Some)
        }
        false => Ok(None),
    };
    Some((stop, wait_for(worker_context, "open the outbox of a worker slot", outbox)?))
}

/// Tries until nothing is lacking any more, or the feed is closed; any other error ends the manager.
fn wait_for<T>(
    worker_context: &WorkerContext<'_>,
    operation: &'static str,
    open: impl Fn() -> io::Result<T>,
) -> Option<T> {
    loop {
        match open() {
            Ok(opened) => return Some(opened),
            Err(error) => match lack_of(&error) {
                Some(lack) => worker_context.shared.shortage.begin(lack, &error.to_string()),
                None => {
                    worker_context.shared.fail(ManagerError::system(operation)(error));
                    return None;
                }
            },
        }
        if worker_context.shared.feed.is_closed_within(OPEN_AGAIN) {
            return None;
        }
    }
}

/// Returns the number of a slot for people, who count from 1.
fn number_of(slot: usize) -> u32 {
    u32::try_from(slot + 1).unwrap_or(u32::MAX)
}

/// Tells the recorder that an attempt starts and returns whether it may; for units that must not run twice, waits until
/// that is durable.
fn announce(
    worker_context: &WorkerContext<'_>,
    unit: &Unit,
    (at, slot): (Timestamp, u32),
    events: &Events<'_>,
) -> Result<bool, RecorderGone> {
    let change = policy::started(unit, at, slot);
    match worker_context.job.limits.on_interrupt {
        OnInterrupt::Retry => events.send(Event::Started(change, None)).map(|()| true),
        OnInterrupt::Fail => events.send_and_wait(|answer| Event::Started(change, Some(answer))),
    }
}

#[cfg(test)]
mod tests;
