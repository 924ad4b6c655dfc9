//! The status of a job and what is explained of it are one judgement: whatever is seen, they name the same.

use proptest::prelude::*;

use super::*;
use crate::client::{AdaptedWorkers, JobOutcome, MachineWorkers};
use crate::model::{Bytes, Lack, Waits, Windows, local_time};

/// Verdicts about a manager that there can be.
const VERDICTS: [(Health, Option<Reason>); 13] = [
    (Health::Running, None),
    (Health::Running, None),
    (Health::Running, None),
    (Health::Running, Some(Reason::Stalled)),
    (Health::Running, Some(Reason::OtherNamespace)),
    (Health::Running, Some(Reason::Invisible)),
    (Health::Running, Some(Reason::Unidentified)),
    (Health::Stopped, None),
    (Health::Stopped, Some(Reason::Copy)),
    (Health::Stopped, Some(Reason::HostRebooted)),
    (Health::Unknown, Some(Reason::LockInvisible)),
    (Health::Unknown, Some(Reason::OtherHost)),
    (Health::NotStarted, None),
];

fn one_of<T: Clone + std::fmt::Debug + 'static>(all: impl Into<Vec<T>>) -> impl Strategy<Value = T> {
    prop::sample::select(all.into())
}

fn mostly_none<T: Clone + std::fmt::Debug + 'static>(some: impl Into<Vec<T>>) -> impl Strategy<Value = Option<T>> {
    prop::option::weighted(0.2, one_of(some))
}

fn jobs() -> impl Strategy<Value = Job> {
    let counts = prop::array::uniform5(0_i64..3);
    let limits = (mostly_none(["60/min", "1/h", "1000/s"]), mostly_none([JobId(3)]), mostly_none([60_u64]));
    let requests = mostly_none([StopRequest::Stop, StopRequest::StopNow, StopRequest::Cancel]);
    let hold = mostly_none([-10_i64, 90]);
    (prop::bool::ANY, one_of(JobStatus::ALL), counts, limits, requests, hold).prop_map(
        |(
            is_running,
            status,
            [pending, running, completed, failed, skipped],
            (rate, after, timeout),
            request,
            hold,
        )| {
            let total = pending + running + completed + failed + skipped;
            let limits = Limits {
                workers: 2,
                rate: rate.map(|rate| rate.parse().unwrap()),
                after,
                timeout: timeout.map(Duration::from_secs),
                ..Limits::default()
            };
            Job {
                status: if is_running { JobStatus::Running } else { status },
                progress: Progress { total, pending, running, completed, failed, skipped, cancelled: 0 },
                limits,
                stop_request: request,
                hold: hold.map(|seconds| Hold { until: ago(-seconds), reason: "quota used up".to_owned() }),
                ..healthy().job
            }
        },
    )
}

fn waits() -> impl Strategy<Value = Option<Waits>> {
    let gib = |count: u64| Bytes(count << 30);
    mostly_none([
        Waits::Memory { available: gib(1), wanted: gib(2), again: gib(3) },
        Waits::Lack { what: Lack::OpenFiles, error: "the limit is 64".to_owned() },
        Waits::Callbacks { waiting: 1025 },
        Waits::Window { windows: "22:00-06:00 (UTC)".to_owned(), until: ago(-60) },
        Waits::Time { until: ago(-60) },
    ])
}

fn snapshots() -> impl Strategy<Value = Snapshot> {
    let manager = (one_of(VERDICTS), mostly_none([0.0, 0.001, 2.0, 5000.0]), prop::bool::weighted(0.1));
    let around = (
        prop::bool::weighted(0.1),
        mostly_none([Writer { pid: 42, name: None }]),
        mostly_none([MachineWorkers { limit: 4, taken: 4 }, MachineWorkers { limit: 4, taken: 1 }]),
    );
    let told = (mostly_none(["too many failed"]), prop::bool::ANY, mostly_none(["not yet"]), mostly_none([1, 2]));
    (jobs(), manager, around, told, waits(), mostly_none([ago(-90)]), mostly_none([(Seq(6), ago(300))])).prop_map(
        |(job, ((health, reason), rate, damaged), (disk_is_full, writer, machine), told, waits, retry_at, oldest)| {
            let runs = job.status == JobStatus::Running && health == Health::Running;
            let (health, reason) = if damaged { (Health::Unknown, None) } else { (health, reason) };
            Snapshot {
                pid: (health == Health::Running).then_some(4711),
                is_damaged: damaged,
                error: damaged.then(|| "its pid is no number".to_owned()),
                halt_reason: told.0.map(str::to_owned),
                stopped_by_signal: told.1,
                postponed: told.2.map(str::to_owned),
                adapted: told.3.filter(|_| runs).map(|workers| AdaptedWorkers { workers, ..ADAPTED }),
                rate: rate.filter(|_| runs),
                waits: waits.filter(|_| runs),
                disk_is_full: disk_is_full && runs,
                writer: writer.filter(|_| runs),
                health,
                reason,
                machine,
                retry_at,
                oldest,
                job,
                ..healthy()
            }
        },
    )
}

/// Returns what both the sentence and what is waited for must name, for a cause that is a waiting one.
fn named(seen: &Snapshot, cause: Why) -> Option<String> {
    let waits = || seen.waits.as_ref().unwrap().to_string();
    Some(match cause {
        Why::Held => seen.job.hold.as_ref().unwrap().reason.clone(),
        Why::WaitingForJob => "job 3".to_owned(),
        Why::WaitingForMemory | Why::LacksResources | Why::WaitingForCallbacks => waits(),
        Why::WaitingForWindow | Why::WaitingForTime | Why::WaitingForLoad | Why::WaitingForDisk => waits(),
        Why::MachineBusy => "the limit over all jobs is 4".to_owned(),
        Why::RateLimited => format!("in {}", crate::model::span(seen.job.limits.rate.unwrap().interval())),
        Why::Postponed => format!("the first until {}", local_time(seen.retry_at.unwrap())),
        Why::WaitingForRetry => format!("the first at {}", local_time(seen.retry_at.unwrap())),
        Why::Cancelling if seen.job.status != JobStatus::Running => seen.job.progress.unfinished().to_string(),
        Why::Stopping | Why::Cancelling => seen.job.progress.running.to_string(),
        Why::DiskFull => "the disk of the database is full".to_owned(),
        Why::DatabaseLocked => "the write lock of the database".to_owned(),
        Why::ManagerStalled => "has not written".to_owned(),
        Why::Starting => "manager".to_owned(),
        Why::Halted => seen.halt_reason.clone().unwrap(),
        Why::AwaitingApproval => "".to_owned(),
        // A reason that tells where the manager may be is named by both.
        Why::ManagerLost | Why::ManagerUnknown => return seen.reason.map(|reason| reason.to_string()),
        Why::Working | Why::Adapted | Why::UnitsSlow | Why::AboutToRun | Why::Finishing => {
            return seen.reason.map(|reason| reason.to_string());
        }
        _ => return None,
    })
}

proptest! {
    #[test]
    fn a_status_says_that_a_job_waits_exactly_when_its_explanation_does_and_names_the_same(seen in snapshots()) {
        let (said, status) = (seen.explanation(), seen.status());

        let expected = named(&seen, said.cause);
        prop_assert_eq!(status.waiting_for.is_some(), expected.is_some(), "{:?}: {:?}", said, status.waiting_for);
        if let Some(expected) = expected {
            let waiting = status.waiting_for.unwrap();
            prop_assert!(waiting.contains(&expected), "{waiting}: {expected}");
            prop_assert!(said.sentence.contains(&expected), "{}: {expected}", said.sentence);
        }
    }

    #[test]
    fn a_job_is_interrupted_lost_and_to_be_continued_for_all_alike(seen in snapshots()) {
        let (said, status) = (seen.explanation(), seen.status());

        let is_lost = said.cause == Why::ManagerLost;
        prop_assert_eq!(is_lost, status.is_interrupted());
        prop_assert_eq!(is_lost, seen.is_interrupted());
        prop_assert_eq!(is_lost, seen.outcome() == Some(JobOutcome::ManagerLost));
        prop_assert_eq!(said.cause == Why::ManagerUnknown, status.word() == "unknown");
        prop_assert_eq!(seen.word(), status.word());
        if is_lost {
            let next = if status.cancel_requested { NextStep::Cancel(JobId(7)) } else { NextStep::Resume(JobId(7)) };
            prop_assert_eq!(said.next_step, next);
        }
        let rests = [Why::Paused, Why::PausedBySignal, Why::Halted, Why::AwaitingApproval, Why::NotStarted];
        prop_assert!(!rests.contains(&said.cause) || status.job_status != JobStatus::Running);
    }

    #[test]
    fn an_end_is_expected_only_of_a_job_that_goes_on_and_never_sooner_than_its_rate_allows(seen in snapshots()) {
        let (said, status) = (seen.explanation(), seen.status());

        prop_assert_eq!(status.eta_seconds, seen.eta());
        if let Some(eta) = status.eta_seconds {
            let goes_on = [Why::Working, Why::Adapted, Why::UnitsSlow, Why::RateLimited, Why::LacksResources];
            prop_assert!(goes_on.contains(&said.cause), "{:?}", said);
            if let Some(rate) = seen.job.limits.rate {
                let soonest = rate.interval().as_secs_f64() * (seen.job.progress.pending - 1) as f64;
                prop_assert!(eta.low as f64 >= soonest.floor() && eta.high >= eta.low, "{eta:?} {soonest}");
            }
        }
    }
}

/// Returns when a job would end that is healthy but for that.
fn expected_end(change: impl FnOnce(&mut Snapshot)) -> Option<(u64, u64)> {
    let mut seen = healthy();
    change(&mut seen);
    seen.eta().map(|eta| (eta.low, eta.high))
}

#[test]
fn no_end_is_invented_where_a_limit_or_a_person_decides() {
    let windows = |span: &str| Windows { spans: vec![span.parse().unwrap()], zone: "UTC".to_owned() };
    let is_full = |seen: &mut Snapshot| seen.job.limits.workers = 2;

    assert_eq!(expected_end(is_full), Some((1, 4)));
    // NOW is at 20:26.
    assert_eq!(expected_end(|seen| seen.job.limits.start.window = Some(windows("20:00-21:00"))), Some((1, 4)));
    let until_the_window_closes = |seen: &mut Snapshot| {
        seen.job.limits.start.window = Some(windows("20:00-20:27"));
        seen.rate = Some(0.1);
    };
    assert_eq!(expected_end(until_the_window_closes), None);
    assert_eq!(expected_end(|seen| seen.job.limits.canary = Some(6)), None);
    assert_eq!(expected_end(|seen| seen.job.limits.canary = Some(10)), Some((1, 4)));
    let meter = |seen: &mut Snapshot| {
        seen.job.limits.rate = Some("60/min".parse().unwrap());
        seen.waits = Some(Waits::MeterRate { rate: "90000/1m00s tokens".to_owned(), until: ago(-60) });
    };
    assert_eq!(expected_end(meter), None);
}

#[test]
fn the_end_of_a_job_with_workers_to_spare_follows_from_its_rate() {
    let rated = |seen: &mut Snapshot| seen.job.limits.rate = Some("60/h".parse().unwrap());
    let idle = |seen: &mut Snapshot| {
        rated(seen);
        seen.job.limits.workers = 8;
        seen.rate = Some(0.001);
    };

    // Five units a minute apart, whatever has ended lately; two of them run.
    assert_eq!(expected_end(idle), Some((165, 435)));
    // All workers are busy for longer than a minute each.
    let busy = |seen: &mut Snapshot| {
        rated(seen);
        seen.rate = Some(0.001);
    };
    assert!(expected_end(busy).is_some_and(|(low, _)| low > 2000), "{:?}", expected_end(busy));
}
