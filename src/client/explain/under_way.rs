//! The judgement about a job whose manager lives: what keeps it from going on, the most likely obstacle first.

use std::time::Duration;

use super::explanation::Explanation;
use super::next_step::NextStep;
use super::raise::raise_budget;
use crate::client::snapshot::Snapshot;
use crate::model::{StopRequest, UnitId, Waits, Why, counted, local_time, span};
use crate::status::Reason;

/// Time for which a unit may run before it is called slow.
const SLOW: Duration = Duration::from_secs(30);
const NO_SPACE: &str = "space: the disk of the database is full, the manager goes on when there is some";

/// Explains a job whose manager is about to take it.
pub(super) fn starting(seen: &Snapshot) -> Explanation {
    let job = seen.job.id;
    let sentence = format!("the manager of job {job} is just starting, or is not the process on record");
    let reason = seen.reason.unwrap_or(Reason::Unidentified);
    Explanation::new(Why::Starting, sentence, NextStep::ManagerLog(job)).waiting(reason)
}

/// Explains a job whose manager lives.
pub(super) fn under_way(seen: &Snapshot) -> Explanation {
    let job = seen.job.id;
    if seen.disk_is_full {
        let sentence =
            format!("the disk of the database is full: the manager of job {job} goes on when there is space");
        return Explanation::new(Why::DiskFull, sentence, NextStep::Doctor).waiting(NO_SPACE);
    }
    if let Some(writer) = &seen.writer {
        let sentence = format!(
            "{writer} holds the write lock of the database: the manager of job {job} keeps what happens in memory, and goes \
             on when it lets go"
        );
        return Explanation::new(Why::DatabaseLocked, sentence, NextStep::Process(writer.pid))
            .waiting(format_args!("{writer} to let go of the write lock of the database"));
    }
    match seen.reason {
        Some(Reason::Stalled) => return stalled(seen),
        Some(Reason::Unidentified) => return starting(seen),
        Some(
            Reason::HostRebooted
            | Reason::OtherHost
            | Reason::OtherNamespace
            | Reason::Invisible
            | Reason::LockInvisible
            | Reason::Killed
            | Reason::Silent
            | Reason::Copy,
        )
        | None => {}
    }
    // A signal asks for a stop too, and only the manager knows of it.
    let by_signal = seen.is_stopping.then_some(StopRequest::Stop);
    if let Some(request) = seen.job.stop_request.or(by_signal) {
        return stopping(seen, request);
    }
    if let Some(hold) = seen.job.hold.as_ref().filter(|hold| hold.until > seen.now) {
        let (until, left) = (local_time(hold.until), span(hold.until.since(seen.now)));
        let sentence =
            format!("no unit of job {job} starts before {until} (in {left}), a unit asked for that: {}", hold.reason);
        let lift = NextStep::Lift { job, limit: "hold" };
        return Explanation::new(Why::Held, sentence, lift).waiting(format_args!(
            "{} until {until}: {}",
            that_wait(seen.job.progress.pending),
            hold.reason
        ));
    }
    let progress = seen.job.progress;
    if let Some(other) = seen.job.limits.after.filter(|_| progress.total == progress.pending) {
        let sentence = format!("no unit of job {job} starts before job {other} has completed");
        return Explanation::new(Why::WaitingForJob, sentence, NextStep::Explain(other))
            .waiting(format_args!("job {other} to complete"));
    }
    if let Some(waits) = seen.waits.as_ref().filter(|_| progress.pending > 0) {
        return held_up(seen, waits);
    }
    match (progress.running, progress.pending) {
        (0, 0) => {
            let sentence = format!("every unit of job {job} has ended, its manager is about to end too");
            Explanation::new(Why::Finishing, sentence, NextStep::Wait(job))
        }
        (0, pending) => idle(seen, &counted(pending, "unit")),
        _ => working(seen),
    }
}

/// Explains a job whose next start waits for something of the machine, or for a time.
fn held_up(seen: &Snapshot, waits: &Waits) -> Explanation {
    let job = seen.job.id;
    let progress = seen.job.progress;
    let (running, pending) = (counted(progress.running, "unit"), progress.pending);
    let (sentence, next) = match waits {
        Waits::Lack { .. } => (
            format!(
                "job {job} cannot run more than {running} at a time, though it has {} workers: it is short of {waits}; \
                 {pending} pending",
                seen.job.limits.workers
            ),
            NextStep::Scale { job, workers: progress.running.max(1) },
        ),
        Waits::Callbacks { .. } => {
            (format!("job {job} waits for {waits}; no unit starts meanwhile, {pending} pending"), NextStep::Wait(job))
        }
        Waits::Budget { until, said } => (
            format!(
                "no unit of job {job} starts before the next day of its budget, {}: {said}; {running} running, {pending} pending",
                local_time(*until)
            ),
            raise_budget(seen, true),
        ),
        Waits::GroupHold { said, until } => (
            format!(
                "no unit of job {job} starts before {}: {said}; {running} running, {pending} pending",
                local_time(*until)
            ),
            NextStep::Lift { job, limit: "hold" },
        ),
        Waits::MeterRate { .. } | Waits::GroupRate { .. } => {
            (format!("job {job} waits for {waits}; {running} running, {pending} pending"), NextStep::Wait(job))
        }
        _ => {
            let preposition = if matches!(waits, Waits::Time { .. }) { "until" } else { "for" };
            let sentence = format!(
                "job {job} waits {preposition} {waits}; no unit starts meanwhile, {running} running, {pending} pending"
            );
            (sentence, NextStep::Lift { job, limit: waits.limit() })
        }
    };
    Explanation::new(waits.cause(), sentence, next).waiting(waits)
}

/// Explains a job of which units are pending and none runs.
fn idle(seen: &Snapshot, pending: &str) -> Explanation {
    let job = seen.job.id;
    if let Some(due) = seen.retry_at {
        let (due, left) = (local_time(due), span(due.since(seen.now)));
        if let Some(reason) = &seen.postponed {
            let wait = if seen.job.progress.pending == 1 { "waits" } else { "wait" };
            let sentence = format!("{pending} of job {job} {wait}, the first until {due} (in {left}): {reason}");
            return Explanation::new(Why::Postponed, sentence, NextStep::RetryWaiting(job))
                .waiting(format_args!("{pending} {wait}, the first until {due}: {reason}"));
        }
        let sentence = format!("job {job} waits for the next attempt of {pending}, the first at {due} (in {left})");
        return Explanation::new(Why::WaitingForRetry, sentence, NextStep::PendingUnits(job))
            .waiting(format_args!("the next attempt of {pending}, the first at {due}"));
    }
    if let Some(rate) = seen.job.limits.rate {
        let every = span(rate.interval());
        let waiting = that_wait(seen.job.progress.pending);
        let sentence = format!("one unit of job {job} starts in {every}, the rate that was set; {waiting}");
        return Explanation::new(Why::RateLimited, sentence, NextStep::Lift { job, limit: "rate" })
            .waiting(format_args!("the rate that was set, one unit in {every}"));
    }
    if let Some(machine) = seen.machine.filter(|machine| machine.are_taken()) {
        let sentence = format!(
            "no unit of job {job} starts before one of another job ends, the limit over all jobs is {}; {pending} pending",
            machine.limit
        );
        return Explanation::new(Why::MachineBusy, sentence, NextStep::RunningJobs)
            .waiting(format_args!("a unit of another job to end: the limit over all jobs is {}", machine.limit));
    }
    if seen.rate.is_none_or(|rate| rate <= 0.0) {
        let sentence = format!("the manager of job {job} is about to take {pending}");
        return Explanation::new(Why::AboutToRun, sentence, NextStep::Status(job));
    }
    working(seen)
}

/// Counts units that wait.
fn that_wait(pending: i64) -> String {
    format!("{} {}", counted(pending, "unit"), if pending == 1 { "waits" } else { "wait" })
}

fn stalled(seen: &Snapshot) -> Explanation {
    let job = seen.job.id;
    let since = seen.silence.map(|age| format!(" for {}", span(age))).unwrap_or_default();
    let sentence = format!(
        "the manager of job {job} lives but has not written{since}: it is suspended, or another process holds the database"
    );
    let next = match seen.pid {
        // Harmless for a process that is not suspended.
        Some(pid) => NextStep::ContinueProcess(pid),
        None => NextStep::ManagerLog(job),
    };
    Explanation::new(Why::ManagerStalled, sentence, next).waiting(Reason::Stalled)
}

fn stopping(seen: &Snapshot, request: StopRequest) -> Explanation {
    let job = seen.job.id;
    let (cause, verb) = match request {
        StopRequest::Stop | StopRequest::StopNow => (Why::Stopping, "stop"),
        StopRequest::Cancel => (Why::Cancelling, "cancel"),
    };
    let oldest = seen.oldest.map(|(seq, since)| format!(", unit {job}:{seq} for {}", span(seen.now.since(since))));
    let sentence = format!(
        "job {job} was asked to {verb} and waits for the end of {}{}",
        counted(seen.job.progress.running, "unit"),
        oldest.unwrap_or_default()
    );
    let next = match request {
        StopRequest::Stop => NextStep::StopNow(job),
        StopRequest::StopNow | StopRequest::Cancel => NextStep::Wait(job),
    };
    let running = counted(seen.job.progress.running, "running unit");
    Explanation::new(cause, sentence, next).waiting(format_args!("{running} to end ({request})"))
}

/// Explains a job whose units run.
fn working(seen: &Snapshot) -> Explanation {
    let job = seen.job.id;
    let progress = seen.job.progress;
    let rate = seen.rate.unwrap_or(0.0);
    if let Some((seq, since)) = seen.oldest {
        let age = seen.now.since(since);
        // At the present rate not even one unit would have ended meanwhile.
        if age > SLOW && rate * age.as_secs_f64() < 1.0 {
            let limit = match (seen.job.limits.timeout, &seen.job.limits.timeout_from) {
                (_, Some(template)) => format!("each may take what {template} says"),
                (Some(timeout), None) => format!("each may take {}", span(timeout)),
                (None, None) => "there is no limit to that".to_owned(),
            };
            let idle = seen.job.limits.idle_timeout;
            let idle = idle.map(|idle| format!(", and {} without a sign of life", span(idle))).unwrap_or_default();
            let sentence = format!(
                "job {job} runs {} and none has ended lately; unit {job}:{seq} takes the longest, {} so far: {limit}{idle}",
                counted(progress.running, "unit"),
                span(age)
            );
            return Explanation::new(Why::UnitsSlow, sentence, NextStep::Unit(UnitId::new(job, seq)));
        }
    }
    if let Some(adapted) = seen.adapted.filter(|adapted| adapted.workers < adapted.of)
        && progress.pending > 0
        && usize::try_from(progress.running).is_ok_and(|running| running >= adapted.workers)
    {
        let sentence = format!(
            "job {job} runs {adapted}, because the service they call could take no more lately; {} pending, {rate:.1} ended per second",
            progress.pending
        );
        return Explanation::new(Why::Adapted, sentence, NextStep::Status(job));
    }
    let sentence = format!(
        "job {job} works: {} running, {} pending, {rate:.1} ended per second lately",
        counted(progress.running, "unit"),
        progress.pending
    );
    Explanation::new(Why::Working, sentence, NextStep::Wait(job))
}
