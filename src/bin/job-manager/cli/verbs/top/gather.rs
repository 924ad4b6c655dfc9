//! Reading what `top` shows: as much of a job as its state asks for, and never the units but a few failed ones.

use std::collections::HashSet;

use job_manager::client::{Client, ClientError, EtaSeconds, Health, Snapshot};
use job_manager::model::{JobFilter, JobId, JobStatus, ManagerRun, Progress, Seq, Timestamp};
use job_manager::text::{counted, one_line, span};

use super::units::{Followed, UnitLine, units};
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
    pub is_running: bool,
    /// The process of its manager, or how many hosts have one.
    pub manager: Option<String>,
}

/// A host that runs a job, or has run it, and how it does; safe to print.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Host {
    pub name: String,
    pub state: &'static str,
    pub said: String,
}

/// What is shown of one job besides.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Detail {
    pub sentence: String,
    pub next_step: String,
    pub hosts: Vec<Host>,
    pub failures: Vec<(Seq, String)>,
    pub units: Vec<UnitLine>,
    /// The end of what the selected unit has written.
    pub output: Vec<String>,
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
        is_running: seen.health == Health::Running,
        manager: manager(seen),
    }
}

/// Says which process runs a job, or on how many hosts one does.
fn manager(seen: &Snapshot) -> Option<String> {
    match (seen.managers.as_slice(), seen.pid) {
        ([], pid) => pid.map(|pid| pid.to_string()),
        ([_], Some(pid)) => Some(pid.to_string()),
        (managers, _) => Some(counted(managers.len(), "host")),
    }
}

fn host(run: &ManagerRun) -> Host {
    let load = run.load.as_ref();
    let said = match (load, &run.reason) {
        (Some(load), reason) => {
            let units =
                format!("{} of {} busy", load.running.unwrap_or(0), counted(load.workers.unwrap_or(0), "worker"));
            let rate = load.rate.map(|rate| format!(", {rate:.1}/s")).unwrap_or_default();
            let silent =
                reason.as_ref().map(|_| format!(", last heard of {} s ago", load.silent_s)).unwrap_or_default();
            format!("{units}{rate}{silent}")
        }
        (None, Some(reason)) => one_line(reason),
        (None, None) => run.ended_at.map(|at| format!("{} ago", span(Timestamp::now().since(at)))).unwrap_or_default(),
    };
    Host { name: one_line(&run.host), state: run.word(), said }
}

/// Names a state in a word that leaves room for others.
fn state(status: JobStatus, word: &'static str) -> &'static str {
    if status == JobStatus::AwaitingApproval { "to approve" } else { word }
}

/// Returns what is shown of a job besides its row.
pub(super) fn detail(
    client: &Client,
    followed: &mut Followed,
    (job, seq, failed_only): (JobId, Option<Seq>, bool),
) -> Result<Detail, ClientError> {
    let seen = client.snapshot(job)?;
    let units = units(client, job, failed_only)?;
    let seq = seq.filter(|seq| units.iter().any(|unit| unit.seq == *seq));
    let shown = seq.or_else(|| units.first().map(|unit| unit.seq));
    let output = shown.map(|seq| followed.read(client, job, seq)).transpose()?.unwrap_or_default();
    let answer = seen.explanation();
    let failures = client.last_failures(job, FAILURES)?;
    Ok(Detail {
        sentence: one_line(&answer.sentence),
        next_step: command_line(&answer.next_step),
        hosts: seen.managers.iter().chain(&seen.former_managers).map(host).collect(),
        failures: failures.into_iter().map(|(seq, error)| (seq, one_line(&error))).collect(),
        units,
        output,
    })
}
