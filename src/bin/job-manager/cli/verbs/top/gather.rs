//! Reading what `top` shows: as much of a job as its state asks for, and never the units but a few failed ones.

use std::collections::HashSet;

use job_manager::client::{Client, ClientError, EtaSeconds, Snapshot};
use job_manager::model::{JobFilter, JobId, JobStatus, Progress, Seq};
use job_manager::text::one_line;

use crate::cli::wording::unreadable;
use crate::command_line::command_line;

/// Jobs that are shown besides those that run.
const MAX_JOBS: i64 = 500;
/// Failed units that are named.
const FAILURES: i64 = 5;

/// A job as a row; its texts are safe to print.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub job: JobId,
    pub name: String,
    pub state: &'static str,
    pub status: JobStatus,
    pub is_interrupted: bool,
    pub progress: Progress,
    pub rate: Option<f64>,
    pub eta: Option<EtaSeconds>,
    pub workers: usize,
    pub manager: Option<u32>,
}

/// What is shown of one job besides.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Detail {
    pub sentence: String,
    pub next_step: String,
    pub failures: Vec<(Seq, String)>,
}

/// Returns the jobs, those that run before the others, the newest first, and names one that cannot be read.
pub(super) fn jobs(client: &Client) -> Result<(Vec<Line>, Option<String>), ClientError> {
    let running = client.snapshots(&JobFilter { statuses: vec![JobStatus::Running], ..JobFilter::default() })?.jobs;
    let newest = client.snapshots(&JobFilter { limit: Some(MAX_JOBS), ..JobFilter::default() })?;
    let trouble = newest.unreadable.first().map(|job| one_line(&unreadable(job)));
    // Between the two looks a job may have begun to run, or ended.
    let shown: HashSet<JobId> = running.iter().map(|seen| seen.job.id).collect();
    let others = newest.jobs.iter().filter(|seen| !shown.contains(&seen.job.id));
    Ok((running.iter().chain(others).map(line).collect(), trouble))
}

fn line(seen: &Snapshot) -> Line {
    let job = &seen.job;
    Line {
        job: job.id,
        name: one_line(&job.name),
        state: state(job.status, seen.word()),
        status: job.status,
        is_interrupted: seen.is_interrupted(),
        progress: job.progress,
        rate: seen.rate,
        eta: seen.eta(),
        workers: job.limits.workers,
        manager: seen.pid,
    }
}

/// Names a state in a word that leaves room for others.
fn state(status: JobStatus, word: &'static str) -> &'static str {
    if status == JobStatus::AwaitingApproval { "to approve" } else { word }
}

/// Returns what is shown of a job besides its row.
pub(super) fn detail(client: &Client, job: JobId) -> Result<Detail, ClientError> {
    let answer = client.explain(job, None)?;
    let failures = client.last_failures(job, FAILURES)?;
    Ok(Detail {
        sentence: one_line(&answer.sentence),
        next_step: command_line(answer.next_step),
        failures: failures.into_iter().map(|(seq, error)| (seq, one_line(&error))).collect(),
    })
}
