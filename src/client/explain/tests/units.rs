//! The cases of units.

use super::*;
use crate::model::Waits;

pub(super) fn ended_units() -> Vec<(Explanation, Answer)> {
    vec![
        unit_case(
            UnitStatus::Completed,
            |_, _| {},
            (
                Why::UnitCompleted,
                "unit 7:6 completed at 2026-05-28T20:26:30.000Z",
                NextStep::Unit(UnitId::new(JobId(7), Seq(6))),
            ),
        ),
        unit_case(
            UnitStatus::Failed,
            |_, of| {
                of.last_cause = Some(Cause::Failed);
                of.unit.error = Some("exited with code 1".to_owned());
            },
            (
                Why::UnitFailed,
                "unit 7:6 failed after 2 attempts: exited with code 1",
                NextStep::RetryUnit(UnitId::new(JobId(7), Seq(6))),
            ),
        ),
        unit_case(
            UnitStatus::Failed,
            |_, of| (of.last_cause, of.unit.crashes) = (Some(Cause::Crashed), 3),
            (
                Why::UnitCrashed,
                "unit 7:6 is not tried again because managers died while it ran, 3 times",
                NextStep::RetryUnit(UnitId::new(JobId(7), Seq(6))),
            ),
        ),
        unit_case(
            UnitStatus::Failed,
            |seen, of| {
                seen.job.limits.set_at_most_once();
                of.last_cause = Some(Cause::Crashed);
            },
            (
                Why::UnitCrashed,
                "unit 7:6 is not tried again because it was cut off, and it may run at most once",
                NextStep::RetryUnit(UnitId::new(JobId(7), Seq(6))),
            ),
        ),
        unit_case(
            UnitStatus::Failed,
            |_, of| of.last_cause = Some(Cause::NeedsAttention),
            (
                Why::UnitNeedsAttention,
                "unit 7:6 is not tried again because a process of it may still live",
                NextStep::Unit(UnitId::new(JobId(7), Seq(6))),
            ),
        ),
        unit_case(
            UnitStatus::Skipped,
            |_, of| of.unit.error = Some("no photo".to_owned()),
            (Why::UnitSkipped, "unit 7:6 was skipped: no photo", NextStep::RetrySkipped(UnitId::new(JobId(7), Seq(6)))),
        ),
        unit_case(
            UnitStatus::Cancelled,
            |_, of| of.unit.error = Some("wrong file".to_owned()),
            (
                Why::UnitCancelled,
                "unit 7:6 was cancelled: wrong file",
                NextStep::RetryUnit(UnitId::new(JobId(7), Seq(6))),
            ),
        ),
    ]
}

pub(super) fn units_under_way() -> Vec<(Explanation, Answer)> {
    vec![
        unit_case(
            UnitStatus::Running,
            |seen, _| seen.job.limits.timeout = Some(Duration::from_secs(60)),
            (
                Why::UnitRunning,
                "unit 7:6 runs for 20s in its attempt 2, it may take 1m00s",
                NextStep::Unit(UnitId::new(JobId(7), Seq(6))),
            ),
        ),
        unit_case(
            UnitStatus::Running,
            |seen, _| seen.health = Health::Stopped,
            (
                Why::ManagerLost,
                "unit 7:6 was running: the manager of job 7 has died with 2 units running and 3 pending",
                NextStep::Resume(JobId(7)),
            ),
        ),
        unit_case(
            UnitStatus::Pending,
            |_, of| {
                of.unit.not_before = Some(ago(-90));
                (of.unit.crashes, of.unit.error) = (1, Some("timed out".to_owned()));
            },
            (
                Why::UnitWaits,
                "unit 7:6 waits until 2026-05-28T20:28:10.000Z (in 1m30s) after 2 attempts, managers died 1 time while it \
                 ran, the last error: timed out",
                NextStep::RetryWaitingUnit(UnitId::new(JobId(7), Seq(6))),
            ),
        ),
        unit_case(
            UnitStatus::Pending,
            |seen, _| seen.waits = Some(Waits::MeterRate { rate: "90000/1m00s tokens".to_owned(), until: NOW }),
            (
                Why::RateLimited,
                "unit 7:6 waits with its job: job 7 waits for its rate of 90000/1m00s tokens; 2 units running, 3 pending",
                NextStep::Wait(JobId(7)),
            ),
        ),
        unit_case(
            UnitStatus::Pending,
            |seen, of| (seen.adapted, of.ahead) = (Some(ADAPTED), 2),
            (
                Why::UnitQueued,
                "unit 7:6 waits for its turn after 2 units; 2 units running, 1 of 2 workers (adapted, last busy 14s ago)",
                NextStep::Status(JobId(7)),
            ),
        ),
        unit_case(
            UnitStatus::Pending,
            |_, of| of.ahead = 4,
            (
                Why::UnitQueued,
                "unit 7:6 waits for its turn after 4 units; 2 of 2 workers are busy",
                NextStep::Status(JobId(7)),
            ),
        ),
        unit_case(
            UnitStatus::Pending,
            |_, of| of.ahead = 0,
            (Why::UnitQueued, "unit 7:6 is next to start; 2 of 2 workers are busy", NextStep::Status(JobId(7))),
        ),
        unit_case(
            UnitStatus::Pending,
            |seen, _| (seen.job.status, seen.health) = (JobStatus::Paused, Health::Stopped),
            (Why::Paused, "unit 7:6 waits with its job: job 7 is paused with 5 units left", NextStep::Resume(JobId(7))),
        ),
    ]
}
