//! Every cause, with what is seen when it is the one, and the words for it.

mod agreement;
mod jobs_under_way;
mod units;

use std::collections::BTreeMap;
use std::time::Duration;

use jobs_under_way::jobs_under_way;
use units::{ended_units, units_under_way};

use super::{Explanation, NextStep, ObservedUnit, Snapshot, job, unit};
use crate::client::AdaptedWorkers;
use crate::model::time::with_local_times;
use crate::model::{
    Amount, Budget, Cause, Epoch, Hold, Job, JobId, JobStatus, Limits, Meter, Output, Progress, Rate, Seq, Spending,
    StopRequest, Timestamp, UnitDetail, UnitId, UnitSpends, UnitStatus, Why,
};
use crate::status::{Health, Reason};
use crate::sys::Writer;

const NOW: Timestamp = Timestamp::from_micros(1_780_000_000_000_000);

/// One of the two workers of a job.
const ADAPTED: AdaptedWorkers = AdaptedWorkers { workers: 1, of: 2, busy_at: Some(NOW), busy_seconds: Some(14) };

fn ago(seconds: i64) -> Timestamp {
    Timestamp::from_micros(NOW.as_micros() - seconds * 1_000_000)
}

/// A job of ten units, of which three are pending and two run, with a manager that works.
fn healthy() -> Snapshot {
    let job = Job {
        id: JobId(7),
        uid: "uid".to_owned(),
        name: "photos".to_owned(),
        key: None,
        handler: "command".to_owned(),
        limits: Limits { workers: 2, ..Limits::default() },
        status: JobStatus::Running,
        epoch: Epoch(1),
        revision: 0,
        stop_request: None,
        stop_grace: None,
        hold: None,
        progress: Progress { total: 10, pending: 3, running: 2, completed: 5, ..Progress::default() },
        created_at: ago(100),
        started_at: Some(ago(100)),
        finished_at: None,
    };
    Snapshot {
        lease: None,
        managers: Vec::new(),
        former_managers: Vec::new(),
        job,
        health: Health::Running,
        reason: None,
        pid: Some(4711),
        halt_reason: None,
        stopped_by_signal: false,
        is_stopping: false,
        error: None,
        is_damaged: false,
        callback_error: None,
        copied_from: None,
        labels: BTreeMap::new(),
        resources: None,
        silence: Some(Duration::from_secs(1)),
        disk_is_full: false,
        writer: None,
        retry_at: None,
        postponed: None,
        retrying: None,
        adapted: None,
        adapted_groups: BTreeMap::new(),
        oldest: Some((Seq(6), ago(20))),
        rate: Some(2.0),
        waits: None,
        machine: None,
        spending: Vec::new(),
        groups: None,
        projection: None,
        log: "manager.log".into(),
        now: NOW,
    }
}

fn one_unit(status: UnitStatus) -> ObservedUnit {
    let unit = UnitDetail {
        group: None,
        seq: Seq(6),
        key: None,
        payload: "1".to_owned(),
        status,
        outdated: None,
        attempts: 2,
        crashes: 0,
        not_before: None,
        started_at: Some(ago(20)),
        slot: Some(1),
        finished_at: status.is_terminal().then(|| ago(10)),
        exit_code: None,
        signal: None,
        error: None,
        result: None,
        output: Output::default(),
        spent: UnitSpends::default(),
    };
    ObservedUnit { unit, last_cause: None, ahead: 0, group: None }
}

/// What is expected: the cause, the sentence, and the next step.
type Answer = (Why, &'static str, NextStep);

fn job_case(change: impl FnOnce(&mut Snapshot), answer: Answer) -> (Explanation, Answer) {
    let mut seen = healthy();
    change(&mut seen);
    (job::explain(&seen), answer)
}

fn unit_case(
    status: UnitStatus,
    change: impl FnOnce(&mut Snapshot, &mut ObservedUnit),
    answer: Answer,
) -> (Explanation, Answer) {
    let (mut seen, mut of) = (healthy(), one_unit(status));
    change(&mut seen, &mut of);
    (unit::explain(&seen, &of), answer)
}

fn is_over(seen: &mut Snapshot, status: JobStatus, progress: Progress) {
    seen.job.status = status;
    seen.job.progress = progress;
    seen.health = Health::Stopped;
}

/// The advice to raise the budget of job 7.
fn raise(amount: &str, daily: bool) -> NextStep {
    NextStep::RaiseBudget { job: JobId(7), meter: "usd".to_owned(), amount: amount.parse().unwrap(), daily }
}

fn jobs_without_a_living_manager() -> Vec<(Explanation, Answer)> {
    vec![
        job_case(
            |seen| (seen.job.status, seen.health) = (JobStatus::Created, Health::NotStarted),
            (Why::NotStarted, "job 7 was created with 10 units and never started", NextStep::Start(JobId(7))),
        ),
        job_case(
            |seen| (seen.health, seen.reason) = (Health::Stopped, Some(Reason::HostRebooted)),
            (
                Why::ManagerLost,
                "the manager of job 7 has died (the host was rebooted) with 2 units running and 3 pending",
                NextStep::Resume(JobId(7)),
            ),
        ),
        job_case(
            |seen| (seen.health, seen.reason) = (Health::Stopped, Some(Reason::Copy)),
            (
                Why::ManagerLost,
                "this database is a copy: the manager on record belongs to the original, nobody runs job 7 here with 2 units \
                 running and 3 pending",
                NextStep::Resume(JobId(7)),
            ),
        ),
        job_case(
            |seen| (seen.health, seen.reason) = (Health::Unknown, Some(Reason::OtherHost)),
            (
                Why::ManagerUnknown,
                "it cannot be told whether a manager runs job 7: the manager ran on another host",
                NextStep::ManagerLog(JobId(7)),
            ),
        ),
        job_case(
            |seen| (seen.job.status, seen.health) = (JobStatus::Paused, Health::Stopped),
            (Why::Paused, "job 7 is paused with 5 units left", NextStep::Resume(JobId(7))),
        ),
        job_case(
            |seen| (seen.job.status, seen.health, seen.stopped_by_signal) = (JobStatus::Paused, Health::Stopped, true),
            (
                Why::PausedBySignal,
                "a signal to its manager, as at a shutdown, paused job 7 with 5 units left",
                NextStep::Recover(JobId(7)),
            ),
        ),
        job_case(
            |seen| is_over(seen, JobStatus::Paused, Progress { total: 1, skipped: 1, ..Progress::default() }),
            (Why::Paused, "job 7 is paused and no unit is left, a resume ends it", NextStep::Resume(JobId(7))),
        ),
        job_case(
            |seen| {
                (seen.job.status, seen.health) = (JobStatus::Paused, Health::Stopped);
                seen.halt_reason = Some("too many failed".to_owned());
            },
            (Why::Halted, "job 7 paused by itself with 5 units left: too many failed", NextStep::Resume(JobId(7))),
        ),
        job_case(
            |seen| {
                seen.job.limits.after = Some(JobId(3));
                seen.job.progress = Progress { total: 10, pending: 10, ..Progress::default() };
            },
            (Why::WaitingForJob, "no unit of job 7 starts before job 3 has completed", NextStep::Explain(JobId(3))),
        ),
        job_case(
            |seen| {
                seen.job.limits.rate = Some(Rate { units: 1, per_ms: 60_000 });
                seen.job.progress = Progress { total: 10, pending: 5, completed: 5, ..Progress::default() };
            },
            (
                Why::RateLimited,
                "one unit of job 7 starts in 1m00s, the rate that was set; 5 units wait",
                NextStep::Lift { job: JobId(7), limit: "rate" },
            ),
        ),
        job_case(
            |seen| {
                (seen.job.status, seen.health) = (JobStatus::Paused, Health::Stopped);
                seen.halt_reason = Some("budget of 50 usd: raise it, then resume".to_owned());
                let amount = |text: &str| text.parse::<Amount>().unwrap();
                let budget = Some(Budget { amount: amount("50"), day_zone: None });
                seen.job.limits.meters = vec![Meter { budget, ..Meter::new("usd") }];
                let mut usd = Spending { spent: amount("49.71"), ..Spending::none("usd") };
                (0..5).for_each(|_| usd.costs.add(amount("0.42")));
                seen.spending = vec![usd];
            },
            (
                Why::OverBudget,
                "job 7 paused by itself with 5 units left: budget of 50 usd: 49.71 spent, a unit costs about 0.42",
                raise("99.42", false),
            ),
        ),
        job_case(
            |seen| {
                (seen.job.status, seen.health) = (JobStatus::Paused, Health::Stopped);
                seen.halt_reason = Some("budget of 50 usd: 50 spent: raise it, then resume".to_owned());
                seen.job.limits.meters = vec![Meter::new("usd")];
            },
            (
                Why::Paused,
                "job 7 paused with 5 units left because of a budget that was raised or taken away since",
                NextStep::Resume(JobId(7)),
            ),
        ),
        job_case(
            |seen| (seen.job.status, seen.health) = (JobStatus::AwaitingApproval, Health::Stopped),
            (
                Why::AwaitingApproval,
                "job 7 has run its first units and waits for a person to look at them, with 5 units left",
                NextStep::Approve(JobId(7)),
            ),
        ),
        job_case(
            |seen| {
                (seen.job.status, seen.health) = (JobStatus::Failed, Health::Stopped);
                seen.error = Some("no handler \"x\"".to_owned());
            },
            (
                Why::ManagerFailed,
                "the manager of job 7 failed with 5 units left: no handler \"x\"",
                NextStep::Resume(JobId(7)),
            ),
        ),
        job_case(
            |seen| {
                let progress = Progress { total: 3, completed: 2, failed: 1, ..Progress::default() };
                is_over(seen, JobStatus::Failed, progress);
            },
            (Why::UnitsFailed, "job 7 is over, 1 of 3 units failed", NextStep::Failures(JobId(7))),
        ),
        job_case(
            |seen| is_over(seen, JobStatus::Completed, Progress { total: 3, completed: 3, ..Progress::default() }),
            (Why::Completed, "job 7 is over: 3 units completed or skipped", NextStep::Results(JobId(7))),
        ),
        job_case(
            |seen| {
                let progress = Progress { total: 3, completed: 1, cancelled: 2, ..Progress::default() };
                is_over(seen, JobStatus::Cancelled, progress);
            },
            (Why::Cancelled, "job 7 was cancelled with 2 of 3 units", NextStep::RetryCancelled(JobId(7))),
        ),
    ]
}

#[test]
fn every_cause_has_its_words_and_its_next_step() {
    let cases = [jobs_without_a_living_manager(), jobs_under_way(), ended_units(), units_under_way()].concat();
    let mut explained: Vec<Why> = cases.iter().map(|(_, (cause, _, _))| *cause).collect();

    for (said, (cause, sentence, next)) in cases {
        assert_eq!((said.cause, said.sentence, said.next_step), (cause, with_local_times(sentence), next));
    }

    explained.sort();
    explained.dedup();
    assert_eq!(explained, Why::ALL, "a cause has no case");
}
