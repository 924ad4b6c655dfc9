//! A program that is told of failed units and of the end or the pause of its job.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::listener::{Listener, NotTold};
use crate::handler::callbacks::{Callbacks, JobReport, UnitReport};
use crate::model::{JobId, Seq, TraceContext};

/// Time that a hook may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A hook of one job.
struct Hook {
    /// It took too long once: it is not run for units any more, or the job would wait for it again and again.
    is_given_up: AtomicBool,
    listener: Listener,
}

/// What a hook reads.
#[derive(Serialize)]
struct Event<'a> {
    event: &'a str,
    job: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<FailedUnit<'a>>,
}

#[derive(Serialize)]
struct FailedUnit<'a> {
    seq: Seq,
    key: Option<&'a str>,
    /// As it is written, numbers with all their digits.
    payload: Option<&'a RawValue>,
    attempts: u32,
    error: Option<&'a str>,
}

/// Adds listeners that run `program` with the event and the job's number as arguments, and what happened as one JSON
/// document on its standard input.
///
/// One hook runs at a time, on a thread of its own. What goes wrong with it is in the status and in the manager's log.
pub(super) fn add(listeners: &mut Callbacks, program: &Path, cwd: &Path, db: &Path, trace: Option<&TraceContext>) {
    let hook = Arc::new(Hook::new(Listener::new(program, cwd, db, trace, TIMEOUT)));
    let of_units = Arc::clone(&hook);
    listeners.unit_failed.push(Arc::new(move |report: &UnitReport| of_units.notify_of_unit(report)));
    listeners.job_end.push(Arc::new(move |report: &JobReport| hook.notify_of_job(report)));
}

impl Hook {
    fn new(listener: Listener) -> Self {
        Self { is_given_up: AtomicBool::new(false), listener }
    }

    fn notify_of_unit(&self, report: &UnitReport) -> Result<(), String> {
        if self.is_given_up.load(Ordering::Relaxed) {
            return Ok(());
        }
        let unit = FailedUnit {
            seq: report.seq,
            key: report.key.as_deref(),
            payload: serde_json::from_str(&report.payload).ok(),
            attempts: report.attempts,
            error: report.error.as_deref(),
        };
        let job = json!({ "id": report.job, "name": report.job_name });
        self.run("unit_failed", report.job, &Event { event: "unit_failed", job, unit: Some(unit) })
    }

    fn notify_of_job(&self, report: &JobReport) -> Result<(), String> {
        let event = if report.status.is_terminal() { "job_ended" } else { "job_paused" };
        let JobReport { job: id, name, status, progress } = report;
        let job = json!({ "id": id, "name": name, "status": status, "progress": progress });
        self.run(event, report.job, &Event { event, job, unit: None })
    }

    fn run(&self, event: &str, job: JobId, what: &Event<'_>) -> Result<(), String> {
        let content = serde_json::to_vec(what).map_err(|error| error.to_string())?;
        let failed = match self.listener.run([event.into(), job.to_string().into()], &content) {
            Ok(_) => return Ok(()),
            Err(NotTold::TooSlow) => {
                self.is_given_up.store(true, Ordering::Relaxed);
                format!("took longer than {:?}, and is not run for further units", self.listener.timeout)
            }
            Err(NotTold::Failed(failed)) => failed,
        };
        Err(format!("hook {} for {event}: {failed}", self.listener.program.display()))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;
    use crate::model::{JobStatus, Progress, UnitStatus};

    #[test]
    fn a_hook_that_hangs_is_ended_and_only_told_of_the_end_from_then_on() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("hook.sh");
        // By another process: a descriptor of ours, caught by a spawn of another test, would keep it from being run.
        let write = "printf '#!/bin/sh\\necho $1 >>told; exec sleep 600\\n' >hook.sh && chmod +x hook.sh";
        assert!(Command::new("sh").args(["-c", write]).current_dir(dir.path()).status().unwrap().success());
        let db = dir.path().join("jobs.db");
        let hook = Hook::new(Listener::new(&program, dir.path(), &db, None, Duration::from_millis(500)));
        let unit = UnitReport {
            job: JobId(1),
            job_name: "job".to_owned(),
            seq: Seq(1),
            key: None,
            payload: "1".to_owned(),
            status: UnitStatus::Failed,
            attempts: 1,
            result: None,
            error: None,
        };
        let (name, progress) = ("job".to_owned(), Progress::default());
        let job = JobReport { job: JobId(1), name, status: JobStatus::Failed, progress };

        let first = hook.notify_of_unit(&unit).unwrap_err();
        let second = hook.notify_of_unit(&unit);
        let end = hook.notify_of_job(&job);

        assert!(first.contains("took longer than 500ms"), "{first}");
        assert!(second.is_ok() && end.is_err());
        assert_eq!(fs::read_to_string(dir.path().join("told")).unwrap(), "unit_failed\njob_ended\n");
    }
}
