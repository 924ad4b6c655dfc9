//! The judgement about a job, for one that no manager runs; `under_way` judges the others.

use super::explanation::Explanation;
use super::next_step::NextStep;
use super::raise::raise_budget;
use super::under_way::{starting, under_way};
use crate::client::snapshot::Snapshot;
use crate::model::{JobStatus, Meter, Spending, StopRequest, Why, counted};
use crate::status::{Health, Reason};

/// Explains where a job stands.
pub(super) fn explain(seen: &Snapshot) -> Explanation {
    let job = seen.job.id;
    let left = seen.job.progress.unfinished();
    let say = |cause, sentence, next| Explanation::new(cause, sentence, next);
    match seen.job.status {
        JobStatus::Created | JobStatus::Paused | JobStatus::AwaitingApproval
            if seen.job.stop_request == Some(StopRequest::Cancel) =>
        {
            to_be_cancelled(seen)
        }
        // No verb shows one that is still being made; whoever sees it here looked in that very moment.
        JobStatus::Partial | JobStatus::Created if seen.health == Health::Running => starting(seen),
        JobStatus::Partial | JobStatus::Created => say(
            Why::NotStarted,
            format!("job {job} was created with {} and never started", counted(left, "unit")),
            NextStep::Start(job),
        ),
        JobStatus::Running => match seen.health {
            Health::Running => with_retrying(seen, with_reason(seen, under_way(seen))),
            Health::Stopped | Health::NotStarted => lost(seen),
            Health::Unknown => unknown(seen),
        },
        JobStatus::Paused => match &seen.halt_reason {
            Some(_) if seen.over_budget().is_some() => {
                let reason = seen.over_budget().unwrap_or_default();
                let sentence = format!("job {job} paused by itself with {} left: {reason}", counted(left, "unit"));
                say(Why::OverBudget, sentence, raise_budget(seen, false)).waiting(reason)
            }
            Some(reason) if is_stale(seen, reason) => say(
                Why::Paused,
                format!(
                    "job {job} paused with {} left because of a budget that was raised or taken away since",
                    counted(left, "unit")
                ),
                NextStep::Resume(job),
            ),
            Some(reason) => say(
                Why::Halted,
                format!("job {job} paused by itself with {} left: {reason}", counted(left, "unit")),
                // Nothing else is left, or it would have gone on.
                if seen.job.limits.hold_flagged && left == 0 { NextStep::Review(job) } else { NextStep::Resume(job) },
            )
            .waiting(reason),
            None if seen.stopped_by_signal => say(
                Why::PausedBySignal,
                format!(
                    "a signal to its manager, as at a shutdown, paused job {job} with {} left",
                    counted(left, "unit")
                ),
                NextStep::Recover(job),
            ),
            None => say(
                Why::Paused,
                match left {
                    0 => format!("job {job} is paused and no unit is left, a resume ends it"),
                    left => format!("job {job} is paused with {} left", counted(left, "unit")),
                },
                NextStep::Resume(job),
            ),
        },
        JobStatus::AwaitingApproval => say(
            Why::AwaitingApproval,
            format!(
                "job {job} has run its first units and waits for a person to look at them, with {} left{}",
                counted(left, "unit"),
                seen.projection.as_ref().map_or_else(String::new, |projection| format!(": {projection}"))
            ),
            NextStep::Approve(job),
        )
        .waiting(seen.halt_reason.as_deref().unwrap_or("a person to look at its first units")),
        JobStatus::Completed | JobStatus::Failed | JobStatus::Cancelled => over(seen),
    }
}

/// Returns `true` if a reason to pause speaks of a budget that lets units start now, or of a bound that is none any more.
fn is_stale(seen: &Snapshot, reason: &str) -> bool {
    let is_bounded = seen.job.limits.meters.iter().any(Meter::is_bounded);
    reason.starts_with(Spending::BUDGET_OF) || reason.contains(Spending::NOBODY_KEEPS) && !is_bounded
}

/// Explains a job that is to be cancelled and that no manager runs: somebody cancels its units, or has died before.
fn to_be_cancelled(seen: &Snapshot) -> Explanation {
    let (job, left) = (seen.job.id, counted(seen.job.progress.unfinished(), "unit"));
    let (sentence, next) = match seen.health {
        Health::Running => (format!("job {job} is being cancelled, with {left} left"), NextStep::Wait(job)),
        _ => (
            format!("job {job} is to be cancelled, and whoever began that is gone, with {left} left"),
            NextStep::Cancel(job),
        ),
    };
    Explanation::new(Why::Cancelling, sentence, next).waiting(format_args!("{left} to be cancelled"))
}

fn lost(seen: &Snapshot) -> Explanation {
    let job = seen.job.id;
    let progress = seen.job.progress;
    let left = format!("with {} running and {} pending", counted(progress.running, "unit"), progress.pending);
    let sentence = match seen.reason {
        Some(reason @ Reason::Copy) => format!("{reason}, nobody runs job {job} here {left}"),
        Some(reason) => format!("the manager of job {job} has died ({reason}) {left}"),
        None => format!("the manager of job {job} has died {left}"),
    };
    // It may have said why it could not go on.
    let error = seen.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
    let (sentence, next) = match seen.job.stop_request {
        Some(StopRequest::Cancel) => (format!("{sentence}, before it could cancel the job"), NextStep::Cancel(job)),
        _ => (sentence + &error, NextStep::Resume(job)),
    };
    let lost = Explanation::new(Why::ManagerLost, sentence, next);
    // Nothing to wait for, but for whoever knows where the manager may be.
    Explanation { waiting_for: seen.reason.map(|reason| reason.to_string()), ..lost }
}

fn unknown(seen: &Snapshot) -> Explanation {
    let job = seen.job.id;
    let reason = seen.reason_in_words();
    let why = reason.as_ref().or(seen.error.as_ref()).map(|why| format!(": {why}")).unwrap_or_default();
    let sentence = format!("it cannot be told whether a manager runs job {job}{why}");
    let next = if seen.may_be_over() { NextStep::Resume(job) } else { NextStep::ManagerLog(job) };
    let next = if seen.reason.is_none() { NextStep::ManagerLog(job) } else { next };
    let unknown = Explanation::new(Why::ManagerUnknown, sentence, next);
    Explanation { waiting_for: reason, ..unknown }
}

/// Adds to what goes on why its manager cannot be looked at as others can.
fn with_reason(seen: &Snapshot, found: Explanation) -> Explanation {
    match seen.reason.filter(|_| found.waiting_for.is_none()) {
        Some(reason) => Explanation { sentence: format!("{}; {reason}", found.sentence), ..found }.waiting(reason),
        None => found,
    }
}

/// Adds to what goes on which units failed and wait for another attempt: the counts alone would look healthy.
fn with_retrying(seen: &Snapshot, found: Explanation) -> Explanation {
    let Some(retrying) = &seen.retrying else { return found };
    let sentence = format!("{}; {retrying}", found.sentence);
    // While nothing ends, they are what there is to look at.
    let only_retries = found.cause == Why::Working && seen.rate.is_none_or(|rate| rate <= 0.0);
    let next_step = if only_retries { NextStep::PendingUnits(seen.job.id) } else { found.next_step };
    Explanation { sentence, next_step, ..found }
}

/// Explains a job that has ended.
fn over(seen: &Snapshot) -> Explanation {
    let job = seen.job.id;
    let progress = seen.job.progress;
    let left = progress.unfinished();
    let (cause, sentence, next) = match seen.job.status {
        JobStatus::Failed if left > 0 || progress.failed == 0 => {
            let error = seen.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
            let next = if left > 0 { NextStep::Resume(job) } else { NextStep::ManagerLog(job) };
            (
                Why::ManagerFailed,
                format!("the manager of job {job} failed with {} left{error}", counted(left, "unit")),
                next,
            )
        }
        JobStatus::Cancelled => (
            Why::Cancelled,
            format!(
                "job {job} was cancelled with {} of {}{}",
                progress.cancelled,
                counted(progress.total, "unit"),
                if progress.failed > 0 { format!(", {} failed before", progress.failed) } else { String::new() }
            ),
            NextStep::RetryCancelled(job),
        ),
        _ if progress.failed > 0 => (
            Why::UnitsFailed,
            format!("job {job} is over, {} of {} failed", progress.failed, counted(progress.total, "unit")),
            NextStep::Failures(job),
        ),
        _ => (
            Why::Completed,
            format!("job {job} is over: {} completed or skipped", counted(progress.total, "unit")),
            NextStep::Results(job),
        ),
    };
    Explanation::new(cause, sentence, next)
}
