//! The judgement about a unit.

use super::explanation::Explanation;
use super::job;
use super::next_step::NextStep;
use super::observed::{ObservedGroup, ObservedUnit};
use crate::client::snapshot::Snapshot;
use crate::handler::{slots_of, timeout_of};
use crate::model::{Cause, RawText, UnitId, UnitStatus, Why, counted, local_time, span};

/// Explains where a unit stands.
pub(super) fn explain(seen: &Snapshot, of: &ObservedUnit) -> Explanation {
    let id = UnitId::new(seen.job.id, of.unit.seq);
    let name = id.to_string();
    let retry = NextStep::RetryUnit(id);
    let why = of.unit.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
    match of.unit.status {
        UnitStatus::Pending => pending(seen, of, &name),
        UnitStatus::Running => running(seen, of, &name),
        UnitStatus::Completed => {
            let when = of.unit.finished_at.map(|at| format!(" at {}", local_time(at))).unwrap_or_default();
            let sentence = format!("unit {name} completed{when}");
            Explanation::new(Why::UnitCompleted, sentence, NextStep::Unit(id))
        }
        UnitStatus::Failed => failed(seen, of, &name, &why, retry),
        UnitStatus::Skipped => {
            Explanation::new(Why::UnitSkipped, format!("unit {name} was skipped{why}"), NextStep::RetrySkipped(id))
        }
        UnitStatus::Cancelled => Explanation::new(Why::UnitCancelled, format!("unit {name} was cancelled{why}"), retry),
    }
}

fn failed(seen: &Snapshot, of: &ObservedUnit, name: &str, why: &str, retry: NextStep) -> Explanation {
    let is_at_most_once = seen.job.limits.is_at_most_once();
    match of.last_cause {
        Some(Cause::NeedsAttention) => Explanation::new(
            Why::UnitNeedsAttention,
            format!("unit {name} is not tried again because a process of it may still live{why}"),
            NextStep::Unit(UnitId::new(seen.job.id, of.unit.seq)),
        ),
        Some(Cause::Crashed | Cause::Interrupted) if is_at_most_once => Explanation::new(
            Why::UnitCrashed,
            format!("unit {name} is not tried again because it was cut off, and it may run at most once{why}"),
            retry,
        ),
        Some(Cause::Crashed) => Explanation::new(
            Why::UnitCrashed,
            format!(
                "unit {name} is not tried again because managers died while it ran, {}",
                counted(of.unit.crashes, "time")
            ),
            retry,
        ),
        _ => {
            let bound = if is_at_most_once { ", and it may run at most once" } else { "" };
            let sentence = format!("unit {name} failed after {}{bound}{why}", counted(of.unit.attempts, "attempt"));
            Explanation::new(Why::UnitFailed, sentence, retry)
        }
    }
}

fn running(seen: &Snapshot, of: &ObservedUnit, name: &str) -> Explanation {
    let job = job::explain(seen);
    if stops_running(job.cause) {
        return Explanation { sentence: format!("unit {name} was running: {}", job.sentence), ..job };
    }
    let age = of.unit.started_at.map(|at| format!(" for {}", span(seen.now.since(at)))).unwrap_or_default();
    // A template without a value has ended the attempt already.
    let timeout = timeout_of(&seen.job.limits, &of.unit.payload, of.unit.seq).unwrap_or_default();
    let limit = timeout.map(|timeout| format!(", it may take {}", span(timeout))).unwrap_or_default();
    let sentence = format!("unit {name} runs{age} in its attempt {}{limit}", of.unit.attempts);
    Explanation::new(Why::UnitRunning, sentence, NextStep::Unit(UnitId::new(seen.job.id, of.unit.seq)))
}

fn pending(seen: &Snapshot, of: &ObservedUnit, name: &str) -> Explanation {
    let job = job::explain(seen);
    if stops_pending(job.cause) {
        return Explanation { sentence: format!("unit {name} waits with its job: {}", job.sentence), ..job };
    }
    let unit = &of.unit;
    if let Some(until) = unit.not_before.filter(|until| *until > seen.now) {
        let crashes = if unit.crashes > 0 {
            format!(", managers died {} while it ran", counted(unit.crashes, "time"))
        } else {
            String::new()
        };
        let after =
            if unit.attempts > 0 { format!(" after {}", counted(unit.attempts, "attempt")) } else { String::new() };
        let error = unit.error.as_ref().map(|error| format!(", the last error: {error}")).unwrap_or_default();
        let (at, left) = (local_time(until), span(until.since(seen.now)));
        let sentence = format!("unit {name} waits until {at} (in {left}){after}{crashes}{error}");
        let retry = NextStep::RetryWaitingUnit(UnitId::new(seen.job.id, of.unit.seq));
        return Explanation::new(Why::UnitWaits, sentence, retry);
    }
    if let Some(first) = seen.job.limits.canary.filter(|_| !seen.job.limits.reach().has(unit.seq)) {
        let which = match (&seen.job.limits.sample, first) {
            (Some(_), _) => format!("a sample of {}", counted(first, "unit")),
            (None, 1) => "the first unit".to_owned(),
            (None, _) => format!("the first {}", counted(first, "unit")),
        };
        let sentence = format!("unit {name} waits for approval: until then only {which} may run");
        return Explanation::new(Why::AwaitingApproval, sentence, NextStep::Status(seen.job.id));
    }
    if holds_back(job.cause) {
        return Explanation { sentence: format!("unit {name} waits with its job: {}", job.sentence), ..job };
    }
    if let Some(explained) = of.group.as_ref().and_then(|group| by_group(seen, of, group, name)) {
        return explained;
    }
    let turn = match of.ahead {
        0 => "is next to start".to_owned(),
        ahead => format!("waits for its turn after {}", counted(ahead, "unit")),
    };
    let (running, workers) = (seen.job.progress.running, seen.job.limits.workers);
    let adapted = seen.adapted.filter(|adapted| adapted.workers < adapted.of);
    let sentence = match (slots_of(&seen.job.limits, &unit.payload, unit.seq), adapted) {
        (_, Some(adapted)) => format!("unit {name} {turn}; {} running, {adapted}", counted(running, "unit")),
        (Ok(slots), None) if !seen.job.limits.slots.is_one() => {
            format!("unit {name} {turn}; it takes {slots} of {workers} workers, {} running", counted(running, "unit"))
        }
        _ => format!("unit {name} {turn}; {running} of {workers} workers are busy"),
    };
    Explanation::new(Why::UnitQueued, sentence, NextStep::Status(seen.job.id))
}

/// Explains a unit whose group lets none start: it is held, full, or has a rate.
fn by_group(seen: &Snapshot, of: &ObservedUnit, observed: &ObservedGroup, name: &str) -> Option<Explanation> {
    let (job, limits, group) = (seen.job.id, seen.job.limits.groups.as_ref()?, &observed.group);
    let of_group = format!("unit {name} is in the group {}", RawText::of_column(&group.name).to_string_lossy());
    if let Some(why) = &group.stopped {
        let sentence = format!("{of_group}, which is held: {why}");
        return Some(Explanation::new(Why::Held, sentence, NextStep::RetryUnit(UnitId::new(job, of.unit.seq))));
    }
    if let Some((until, why)) = group.hold.as_ref().filter(|(until, _)| *until > seen.now) {
        let (at, left) = (local_time(*until), span(until.since(seen.now)));
        let sentence = format!("{of_group}, which is held until {at} (in {left}): {why}");
        return Some(Explanation::new(Why::Held, sentence, NextStep::Lift { job, limit: "hold" }));
    }
    let is_full = |most: &usize| usize::try_from(observed.running).is_ok_and(|running| running >= *most);
    if let Some(most) = seen.adapted_groups.get(&group.name).copied().filter(is_full) {
        let sentence = format!("unit {name} waits: {} (adapted)", full(observed, most));
        return Some(Explanation::new(Why::Adapted, sentence, NextStep::Status(job)));
    }
    if let Some(most) = group.most.or(limits.most).filter(is_full) {
        let sentence = format!("unit {name} waits: {}", full(observed, most));
        return Some(Explanation::new(Why::UnitQueued, sentence, NextStep::Status(job)));
    }
    let rate = limits.rate?;
    let sentence = format!("{of_group}, of which one unit starts in {}", span(rate.interval()));
    Some(Explanation::new(Why::RateLimited, sentence, NextStep::Status(job)))
}

fn full(observed: &ObservedGroup, most: usize) -> String {
    format!("its group {} already runs {} of at most {}", observed.group.name, observed.running, counted(most, "unit"))
}

/// Returns `true` if nothing of a job is under way where this is the cause.
fn stops_running(cause: Why) -> bool {
    matches!(
        cause,
        Why::ManagerLost
            | Why::ManagerUnknown
            | Why::DiskFull
            | Why::DatabaseLocked
            | Why::ManagerStalled
            | Why::Stopping
            | Why::Cancelling
    ) || !is_of_living_job(cause)
}

/// Returns `true` if no unit of a job is begun where this is the cause.
fn stops_pending(cause: Why) -> bool {
    let waits = matches!(
        cause,
        Why::WaitingForMemory
            | Why::WaitingForLoad
            | Why::WaitingForDisk
            | Why::LacksResources
            | Why::WaitingForCallbacks
            | Why::OverBudget
            | Why::WaitingForWindow
            | Why::WaitingForTime
            | Why::WaitingForJob
    );
    waits || stops_running(cause) || matches!(cause, Why::Held | Why::Starting)
}

/// Returns `true` if units of a job that are due wait where this is the cause; those that are not yet have reasons of their own.
fn holds_back(cause: Why) -> bool {
    matches!(cause, Why::RateLimited | Why::MachineBusy)
}

fn is_of_living_job(cause: Why) -> bool {
    !matches!(
        cause,
        Why::NotStarted
            | Why::Paused
            | Why::PausedBySignal
            | Why::Halted
            | Why::AwaitingApproval
            | Why::ManagerFailed
            | Why::UnitsFailed
            | Why::Completed
            | Why::Cancelled
    )
}
