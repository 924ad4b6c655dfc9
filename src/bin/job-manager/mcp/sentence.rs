//! Where a job stands, in one sentence, and what to call next, in another.

use std::time::Duration;

use job_manager::client::{ManagerStatus, Snapshot};
use job_manager::explain::{Explanation, NextStep, Why};
use job_manager::model::{Job, JobStatus, ManagerState};
use job_manager::text::{counted, span};

/// Says where a job stands and what to call next.
pub(super) fn sentence(seen: &Snapshot, status: &ManagerStatus) -> String {
    let counts = &status.progress.counts;
    let mut text = format!(
        "Job {} ({}) is {}: {} of {} completed",
        status.job.id,
        status.job.name,
        status.word().replace('_', " "),
        counts.completed,
        counted(counts.total, "unit")
    );
    for (state, count) in counts.by_state().into_iter().skip(1).filter(|(_, count)| *count > 0) {
        text.push_str(&format!(", {count} {state}"));
    }
    if let Some(eta) = &status.eta_seconds {
        let [low, high] = [eta.low, eta.high].map(|seconds| span(Duration::from_secs(seconds)));
        text.push_str(&format!("; about {low} to {high} left"));
    }
    if let Some(retrying) = &status.retrying {
        text.push_str(&format!("; {retrying}"));
    }
    if let Some(hosts) = status.hosts() {
        text.push_str(&format!("; {hosts}"));
    }
    for run in status.former_managers.iter().filter(|run| run.state == ManagerState::Refused) {
        let reason = run.reason.as_deref().unwrap_or("it did not say why");
        text.push_str(&format!("; host {} refused it: {reason}", run.host));
    }
    if let Some(waiting) = status.waiting_for.as_ref().filter(|_| status.job_status != JobStatus::AwaitingApproval) {
        text.push_str(&format!("; it waits: {waiting}"));
    }
    if let Some(error) = &status.error {
        text.push_str(&format!("; its manager failed: {error}"));
    }
    format!("{text}. {}", next_call(&seen.job, &seen.explanation()))
}

/// Says what to call about a job that was cancelled.
fn after_cancel(job: &Job) -> &'static str {
    // Units that nobody has approved are not offered again: the same command would only wait once more.
    match job.limits.canary {
        Some(first) if job.progress.total > i64::from(first) => {
            "Nobody approved it: start_batch with a corrected command makes a new job."
        }
        _ => "change_units retries its cancelled units (status cancelled), resume_job runs them then.",
    }
}

/// Returns what to call next, for the explanation of a job or of one of its units.
pub(super) fn next_call(job: &Job, found: &Explanation) -> &'static str {
    match found.cause {
        Why::NotStarted => "resume_job starts it.",
        Why::ManagerLost if matches!(found.next_step, NextStep::Cancel(_)) => {
            "Its manager died before it could cancel the job: cancel_job ends it."
        }
        Why::ManagerLost => "Its manager died, nothing is lost: resume_job continues it.",
        Why::Paused | Why::PausedBySignal => "resume_job continues it.",
        Why::OverBudget => "When the person agrees, change_settings raises its budget; then resume_job.",
        Why::Halted => "Remove the cause, then resume_job.",
        Why::Cancelling if matches!(found.next_step, NextStep::Cancel(_)) => "cancel_job ends it.",
        Why::Starting | Why::AboutToRun | Why::Finishing | Why::Working | Why::Stopping | Why::Cancelling => {
            "wait_job waits for it."
        }
        Why::Held
        | Why::WaitingForJob
        | Why::MachineBusy
        | Why::RateLimited
        | Why::WaitingForRetry
        | Why::Postponed
        | Why::Adapted
        | Why::WaitingForCallbacks => "It goes on by itself: wait_job.",
        Why::WaitingForMemory
        | Why::WaitingForLoad
        | Why::WaitingForDisk
        | Why::WaitingForWindow
        | Why::WaitingForTime => "It goes on by itself: wait_job; change_settings changes the limit.",
        Why::LacksResources => {
            "Fewer units run at a time than could: wait_job; a person can raise the limit of the machine or lower the workers."
        }
        Why::UnitsSlow => "list_units with status running shows the units that take long; get_unit shows one.",
        Why::DatabaseLocked => "It goes on by itself when that process lets go: tell the person.",
        Why::DiskFull => "It goes on by itself when there is space on the disk: tell the person.",
        Why::ManagerUnknown | Why::ManagerStalled | Why::ManagerFailed | Why::UnitNeedsAttention => {
            "A person has to look; job_status names the manager's log."
        }
        Why::AwaitingApproval => {
            "Its first units have ended: show what get_results and list_failures say of them, then approve_job or reject_job."
        }
        Why::UnitsFailed => {
            "list_failures says why; change_units with retry and then resume_job try failed units again."
        }
        Why::Completed | Why::UnitCompleted => "get_results has the results.",
        Why::Cancelled | Why::UnitCancelled => after_cancel(job),
        Why::UnitSkipped => "change_units with retry, status skipped and its number takes it back.",
        Why::UnitFailed | Why::UnitCrashed => "get_unit shows its output; change_units with retry tries it again.",
        Why::UnitRunning | Why::UnitWaits | Why::UnitQueued => "wait_job waits for the job.",
    }
}
