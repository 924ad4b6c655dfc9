//! Jobs whose managers live.

use super::*;
use crate::client::MachineWorkers;
use crate::model::{Bytes, Lack, Percent, Resource, Retrying, Waits};

fn retrying() -> Retrying {
    Retrying { units: 3, at_least: false, seq: Seq(1), last: "exited with code 1: disk full".to_owned() }
}

pub(super) fn jobs_under_way() -> Vec<(Explanation, Answer)> {
    vec![
        job_case(
            |seen| (seen.reason, seen.pid) = (Some(Reason::Unidentified), None),
            (
                Why::Starting,
                "the manager of job 7 is just starting, or is not the process on record",
                NextStep::ManagerLog(JobId(7)),
            ),
        ),
        job_case(
            |seen| (seen.disk_is_full, seen.reason) = (true, Some(Reason::Stalled)),
            (
                Why::DiskFull,
                "the disk of the database is full: the manager of job 7 goes on when there is space",
                NextStep::Doctor,
            ),
        ),
        job_case(
            |seen| (seen.reason, seen.silence) = (Some(Reason::Stalled), Some(Duration::from_secs(42))),
            (
                Why::ManagerStalled,
                "the manager of job 7 lives but has not written for 42s: it is suspended, or another process holds the \
                 database",
                NextStep::ContinueProcess(4711),
            ),
        ),
        job_case(
            |seen| seen.job.stop_request = Some(StopRequest::Stop),
            (
                Why::Stopping,
                "job 7 was asked to stop and waits for the end of 2 units, unit 7:6 for 20s",
                NextStep::StopNow(JobId(7)),
            ),
        ),
        job_case(
            |seen| seen.job.stop_request = Some(StopRequest::Cancel),
            (
                Why::Cancelling,
                "job 7 was asked to cancel and waits for the end of 2 units, unit 7:6 for 20s",
                NextStep::Wait(JobId(7)),
            ),
        ),
        job_case(
            |seen| {
                let gib = |count: u64| Bytes(count << 30);
                seen.waits = Some(Waits::Memory { available: gib(1), wanted: gib(2), again: gib(2) });
            },
            (
                Why::WaitingForMemory,
                "job 7 waits for memory: 1 GiB of 2 GiB available; no unit starts meanwhile, 2 units running, 3 pending",
                NextStep::Lift { job: JobId(7), limit: "memfree" },
            ),
        ),
        job_case(
            |seen| seen.writer = Some(Writer { pid: 42, name: Some("sqlite3".to_owned()) }),
            (
                Why::DatabaseLocked,
                "process 42 (sqlite3) holds the write lock of the database: the manager of job 7 keeps what happens in \
                 memory, and goes on when it lets go",
                NextStep::Process(42),
            ),
        ),
        job_case(
            |seen| seen.waits = Some(Waits::Callbacks { waiting: 1025 }),
            (
                Why::WaitingForCallbacks,
                "job 7 waits for the hook or callbacks: 1025 ends still to be told; no unit starts meanwhile, 3 pending",
                NextStep::Wait(JobId(7)),
            ),
        ),
        job_case(
            |seen| seen.waits = Some(Waits::Lack { what: Lack::OpenFiles, error: "the limit is 64".to_owned() }),
            (
                Why::LacksResources,
                "job 7 cannot run more than 2 units at a time, though it has 2 workers: it is short of open files: the limit \
                 is 64; 3 pending",
                NextStep::Scale { job: JobId(7), workers: 2 },
            ),
        ),
        job_case(
            |seen| seen.waits = Some(Waits::Load { runnable: 4, processors: 2.0, limit: Percent(80) }),
            (
                Why::WaitingForLoad,
                "job 7 waits for load: 4 runnable, fewer than 1.6 wanted (80% of 2 processors); no unit starts meanwhile, \
                 2 units running, 3 pending",
                NextStep::Lift { job: JobId(7), limit: "load" },
            ),
        ),
        job_case(
            |seen| {
                let error = "No such file or directory (os error 2)".to_owned();
                seen.waits = Some(Waits::Unreadable { what: Resource::disk("/data".into()), error });
            },
            (
                Why::WaitingForDisk,
                "job 7 waits for disk space: cannot look at /data: No such file or directory (os error 2); no unit starts \
                 meanwhile, 2 units running, 3 pending",
                NextStep::Lift { job: JobId(7), limit: "diskfree" },
            ),
        ),
        job_case(
            |seen| {
                let windows = "22:00-06:00 (Europe/Berlin)".to_owned();
                seen.waits = Some(Waits::Window { windows, until: ago(-60) });
            },
            (
                Why::WaitingForWindow,
                "job 7 waits for the window 22:00-06:00 (Europe/Berlin), which opens at 2026-05-28T20:27:40.000Z; no unit \
                 starts meanwhile, 2 units running, 3 pending",
                NextStep::Lift { job: JobId(7), limit: "window" },
            ),
        ),
        job_case(
            |seen| seen.waits = Some(Waits::Time { until: ago(-60) }),
            (
                Why::WaitingForTime,
                "job 7 waits until 2026-05-28T20:27:40.000Z (not-before); no unit starts meanwhile, 2 units running, 3 pending",
                NextStep::Lift { job: JobId(7), limit: "not-before" },
            ),
        ),
        job_case(
            |seen| {
                let said = "budget of 20 usd a day: 20 spent today".to_owned();
                let (amount, day_zone) = ("20".parse().unwrap(), Some("UTC".to_owned()));
                seen.job.limits.meter("usd").budget = Some(Budget { amount, day_zone });
                seen.waits = Some(Waits::Budget { said, until: NOW });
            },
            (
                Why::OverBudget,
                "no unit of job 7 starts before the next day of its budget, 2026-05-28T20:26:40.000Z: budget of 20 usd a day: 20 \
                 spent today; 2 units running, 3 pending",
                raise("40", true),
            ),
        ),
        job_case(
            |seen| {
                seen.waits = Some(Waits::MeterRate { rate: "90000/1m00s tokens".to_owned(), until: NOW });
            },
            (
                Why::RateLimited,
                "job 7 waits for its rate of 90000/1m00s tokens; 2 units running, 3 pending",
                NextStep::Wait(JobId(7)),
            ),
        ),
        job_case(
            |seen| seen.job.hold = Some(Hold { until: ago(-90), reason: "quota used up".to_owned() }),
            (
                Why::Held,
                "no unit of job 7 starts before 2026-05-28T20:28:10.000Z (in 1m30s), a unit asked for that: quota used up",
                NextStep::Lift { job: JobId(7), limit: "hold" },
            ),
        ),
        job_case(
            |seen| {
                seen.job.progress = Progress { running: 0, total: 8, ..seen.job.progress };
                seen.retry_at = Some(ago(-90));
            },
            (
                Why::WaitingForRetry,
                "job 7 waits for the next attempt of 3 units, the first at 2026-05-28T20:28:10.000Z (in 1m30s)",
                NextStep::PendingUnits(JobId(7)),
            ),
        ),
        job_case(
            |seen| {
                seen.job.progress = Progress { running: 0, total: 8, ..seen.job.progress };
                (seen.retry_at, seen.postponed) = (Some(ago(-90)), Some("not answered yet".to_owned()));
            },
            (
                Why::Postponed,
                "3 units of job 7 wait, the first until 2026-05-28T20:28:10.000Z (in 1m30s): not answered yet",
                NextStep::RetryWaiting(JobId(7)),
            ),
        ),
        job_case(
            |seen| {
                seen.job.progress = Progress { running: 0, pending: 1, total: 6, ..seen.job.progress };
                (seen.retry_at, seen.postponed) = (Some(ago(-90)), Some("not answered yet".to_owned()));
            },
            (
                Why::Postponed,
                "1 unit of job 7 waits, the first until 2026-05-28T20:28:10.000Z (in 1m30s): not answered yet",
                NextStep::RetryWaiting(JobId(7)),
            ),
        ),
        job_case(
            |seen| seen.adapted = Some(ADAPTED),
            (
                Why::Adapted,
                "job 7 runs 1 of 2 workers (adapted, last busy 14s ago), because the service they call could take no more \
                 lately; 3 pending, 2.0 ended per second",
                NextStep::Status(JobId(7)),
            ),
        ),
        job_case(
            |seen| {
                seen.job.progress = Progress { running: 0, total: 8, ..seen.job.progress };
                seen.rate = None;
            },
            (Why::AboutToRun, "the manager of job 7 is about to take 3 units", NextStep::Status(JobId(7))),
        ),
        job_case(
            |seen| {
                seen.job.progress = Progress { running: 0, total: 8, ..seen.job.progress };
                seen.machine = Some(MachineWorkers { limit: 4, taken: 4 });
            },
            (
                Why::MachineBusy,
                "no unit of job 7 starts before one of another job ends, the limit over all jobs is 4; 3 units pending",
                NextStep::RunningJobs,
            ),
        ),
        job_case(
            |seen| seen.job.progress = Progress { total: 5, completed: 5, ..Progress::default() },
            (
                Why::Finishing,
                "every unit of job 7 has ended, its manager is about to end too",
                NextStep::Wait(JobId(7)),
            ),
        ),
        job_case(
            |_| {},
            (
                Why::Working,
                "job 7 works: 2 units running, 3 pending, 2.0 ended per second lately",
                NextStep::Wait(JobId(7)),
            ),
        ),
        job_case(
            |seen| (seen.rate, seen.retrying) = (Some(0.0), Some(retrying())),
            (
                Why::Working,
                "job 7 works: 2 units running, 3 pending, 0.0 ended per second lately; 3 units wait for another attempt, last: \
                 exited with code 1: disk full",
                NextStep::PendingUnits(JobId(7)),
            ),
        ),
        job_case(
            |seen| (seen.oldest, seen.rate) = (Some((Seq(6), ago(300))), Some(0.001)),
            (
                Why::UnitsSlow,
                "job 7 runs 2 units and none has ended lately; unit 7:6 takes the longest, 5m00s so far: there is no \
                 limit to that",
                NextStep::Unit(UnitId::new(JobId(7), Seq(6))),
            ),
        ),
    ]
}
