//! When a job halts by itself although units are left: a pure function of its limits and what has happened.

use crate::model::{Job, JobId, JobStatus, Limits, Meter, Seq, Spending, StopRequest, Timestamp, counted, local_time};

/// A state in which a job waits for somebody, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Halt {
    /// Paused, or waiting for an approval.
    pub status: JobStatus,
    /// Why, and what to do.
    pub reason: String,
    /// Whether running units may finish.
    pub stop: StopRequest,
}

/// Returns why the job has to halt now, if it has to; `failures` are those since its latest start.
pub(super) fn halt(job: &Job, failures: u64, now: Timestamp) -> Option<Halt> {
    if let Some(most) = most_failures(job).filter(|most| failures >= *most) {
        let reason = format!(
            "{} failed since its latest start, the limit is {most}: look at the failed units, then resume",
            counted(failures, "unit")
        );
        return Some(Halt { status: JobStatus::Paused, reason, stop: StopRequest::Stop });
    }
    if let Some(deadline) = job.deadline_at().filter(|deadline| now >= *deadline) {
        let reason = format!("its deadline {} has passed: set another one, then resume", local_time(deadline));
        return Some(Halt { status: JobStatus::Paused, reason, stop: StopRequest::StopNow });
    }
    None
}

/// Returns how many units may fail before the job halts.
pub(super) fn most_failures(job: &Job) -> Option<u64> {
    job.limits.max_failures.map(|most| most.of(job.progress.total))
}

/// Returns `true` if the deadline of a job is over.
pub(super) fn is_over(job: &Job, now: Timestamp) -> bool {
    job.deadline_at().is_some_and(|deadline| now >= deadline)
}

/// Returns the halt of a job that waits for another one which will not complete by itself.
pub(super) fn after(other: JobId, what: &str) -> Halt {
    let reason =
        format!("it waits for job {other}, which {what}: complete that job or take that limit away, then resume");
    Halt { status: JobStatus::Paused, reason, stop: StopRequest::Stop }
}

/// Returns the halt of a job whose windows are those of a time zone that is not known here.
pub(super) fn unknown_zone(zone: &str) -> Halt {
    let reason = format!(
        "the time zone {zone} of its window is not known on this machine: install it, or set the window again, then resume"
    );
    Halt { status: JobStatus::Paused, reason, stop: StopRequest::Stop }
}

/// Returns the halt of a job whose budget lets no unit start any more.
pub(super) fn over_budget(said: &str) -> Halt {
    let reason = format!("{said}: raise it, then resume");
    Halt { status: JobStatus::Paused, reason, stop: StopRequest::Stop }
}

/// Returns the halt of a job of which an attempt has ended and nobody knows what it cost.
pub(super) fn uncounted(unit: Seq, meter: &Meter) -> Halt {
    let bound = match &meter.budget {
        Some(budget) => format!("budget of {budget}"),
        None => "rate of".to_owned(),
    };
    let (what, missing) = match &meter.path {
        Some(path) => (format!("has printed no number at {path}"), format!(", say that it may be missing ({path}:-0)")),
        None => ("did not say what it cost".to_owned(), String::new()),
    };
    let reserve = if meter.reserve.is_none() { ", or reserve what an attempt may cost" } else { "" };
    let mend = format!("correct that{missing}{reserve}");
    let (name, nobody) = (&meter.name, Spending::NOBODY_KEEPS);
    let reason = format!("unit {unit} ended and {what}, {nobody} {bound} {name}: {mend}, then resume");
    Halt { status: JobStatus::Paused, reason, stop: StopRequest::Stop }
}

/// Returns the halt of a job of which only units of some groups are left, each with the reason why none of them starts.
pub(super) fn stopped_groups(groups: &[(String, String)]) -> Option<Halt> {
    let (name, why) = groups.first()?;
    let held = format!("{} held", counted(groups.len(), "group"));
    let reason = match groups.len() {
        1 => format!("{held}: {name}: {why}: look at its failed units, then resume"),
        more => format!("{held}: {name} and {} more: {why}: look at the failed units, then resume", more - 1),
    };
    Some(Halt { status: JobStatus::Paused, reason, stop: StopRequest::Stop })
}

/// Returns the halt of a job whose results a person has to accept before its last unit sees them.
pub(super) fn flagged(undecided: u64) -> Halt {
    let reason = format!("{} for a review before the last unit runs", waiting(undecided));
    Halt { status: JobStatus::Paused, reason, stop: StopRequest::Stop }
}

fn waiting(undecided: u64) -> String {
    let wait = if undecided == 1 { "waits" } else { "wait" };
    format!("{} {wait}", counted(undecided, "flagged unit"))
}

/// Returns the halt of a job whose first units have ended and are to be looked at.
pub(super) fn canary(limits: &Limits) -> Halt {
    let units = counted(limits.canary.unwrap_or_default(), "unit");
    let how = if limits.sample.is_some() { ", drawn at random," } else { "" };
    let reason = format!("canary of {units}{how} ended: look at the output, then approve or reject the job");
    Halt { status: JobStatus::AwaitingApproval, reason, stop: StopRequest::Stop }
}
