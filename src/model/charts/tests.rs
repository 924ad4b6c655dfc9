//! Ends, durations, pauses and kinds of failures, added up.

use super::*;
use crate::model::Epoch;

fn run(status: UnitStatus, started_ms: i64, finished_ms: i64) -> EndedRun {
    let [started_at, finished_at] = [started_ms, finished_ms].map(|ms| Timestamp::from_micros(ms * 1000));
    EndedRun { status, started_at, finished_at }
}

#[test]
fn every_end_is_in_the_stretch_of_time_in_which_it_was() {
    let runs: Vec<EndedRun> = (0..240)
        .map(|n| run(if n % 4 == 0 { UnitStatus::Failed } else { UnitStatus::Completed }, n * 1000, (n + 1) * 1000))
        .collect();

    let charts = Charts::of(&runs, 240, 240, None);

    assert_eq!(charts.ends.len(), TIME_BUCKETS);
    let sums = charts.ends.iter().fold((0, 0), |sums, ends| (sums.0 + ends.completed, sums.1 + ends.failed));
    assert_eq!(sums, (180, 60));
    assert!(charts.ends.iter().all(|ends| (1..=3).contains(&(ends.completed + ends.failed))), "{charts:?}");
    assert!((charts.bucket_seconds - 2.0).abs() < 0.01, "{charts:?}");
}

#[test]
fn durations_are_counted_between_bounds_that_leave_nothing_out() {
    let runs: Vec<EndedRun> =
        [0, 1, 3, 3, 70, 4_000, 4_000].map(|ms| run(UnitStatus::Completed, 0, ms)).into_iter().collect();

    let charts = Charts::of(&runs, 7, 7, None);

    let [first, .., last] = charts.durations.as_slice() else { panic!("{charts:?}") };
    assert_eq!((first.from_seconds, first.units), (0.0, 1));
    assert_eq!((last.from_seconds, last.to_seconds, last.units), (2.0, 5.0, 2));
    assert_eq!(charts.durations.iter().map(|part| part.units).sum::<i64>(), 7);
    assert!(charts.durations.windows(2).all(|pair| pair[0].to_seconds == pair[1].from_seconds));
    assert_eq!((charts.p50_seconds, charts.p99_seconds), (Some(0.003), Some(4.0)));
}

#[test]
fn a_sample_is_multiplied_to_all_and_nothing_has_no_picture() {
    let sampled = Charts::of(&[run(UnitStatus::Completed, 0, 10), run(UnitStatus::Failed, 0, 10)], 1_000, 10, None);
    let none = Charts::of(&[], 0, 0, Some(Timestamp::now()));

    let sums = sampled.ends.iter().fold((0, 0), |sums, ends| (sums.0 + ends.completed, sums.1 + ends.failed));
    assert_eq!((sums, sampled.durations[0].units), ((100, 100), 200));
    assert_eq!((none.ends.len(), none.durations.len(), none.p50_seconds), (0, 0, None));
}

#[test]
fn times_that_no_clock_gives_are_no_fault() {
    let odd = [
        run(UnitStatus::Completed, 9_000, 1_000),
        EndedRun {
            status: UnitStatus::Completed,
            started_at: Timestamp::from_micros(i64::MIN),
            finished_at: Timestamp::from_micros(i64::MAX),
        },
    ];

    let charts = Charts::of(&odd, 2, 2, None);

    assert_eq!(charts.durations.iter().map(|part| part.units).sum::<i64>(), 2);
}

fn manager(number: i64, state: ManagerState, started_s: i64, ended_s: Option<i64>) -> ManagerRun {
    let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
    ManagerRun {
        number: Epoch(number),
        state,
        reason: None,
        host: "here".to_owned(),
        pid: 1,
        version: String::new(),
        started_at: Some(at(started_s)),
        heartbeat_at: at(ended_s.unwrap_or(started_s)),
        ended_at: ended_s.map(at),
        load: None,
    }
}

#[test]
fn nobody_ran_between_managers_and_after_the_last_one() {
    let runs = [run(UnitStatus::Completed, 0, 10_000), run(UnitStatus::Completed, 60_000, 119_000)];
    let managers = [
        manager(1, ManagerState::Left, -5, Some(20)),
        // At the same time on another host.
        manager(2, ManagerState::Lost, 5, Some(30)),
        manager(3, ManagerState::Left, 60, Some(100)),
    ];
    let of = |managers: &[ManagerRun]| {
        let charts = Charts::of(&runs, 2, 2, None).with_pauses(managers, true);
        charts
            .pauses
            .iter()
            .map(|pause| [pause.from, pause.to].map(|at| at.as_micros() / 1_000_000))
            .collect::<Vec<_>>()
    };

    assert_eq!(of(&managers), [[30, 60], [100, 119]]);
    let live = |heartbeat_s: i64| ManagerRun {
        heartbeat_at: Timestamp::from_micros(heartbeat_s * 1_000_000),
        ..manager(1, ManagerState::Live, 0, None)
    };
    assert_eq!(of(&[live(118)]), [[0; 2]; 0]);
    assert_eq!(of(&[live(40)]), [[40, 119]], "it has died, and nobody has gone on with the job");
    let unknown = ManagerRun { started_at: None, ..manager(1, ManagerState::Left, 0, Some(9)) };
    assert_eq!(of(&[unknown]), [[0; 2]; 0]);
}

#[test]
fn failures_over_time_are_told_apart_by_kind_and_the_rarest_are_together() {
    let charts = Charts::of(&[run(UnitStatus::Failed, 0, 120_000)], 1, 1, None);
    let failed: Vec<(ClusterId, Timestamp)> = (0..8_i64)
        .flat_map(|kind| (0..=kind).map(move |n| (ClusterId::from_number(kind), Timestamp::from_micros(n * 1_000_000))))
        .collect();

    let failures = charts.with_failures(&failed, true).failures.unwrap();

    let units: Vec<i64> = failures.kinds.iter().map(|kind| kind.units).collect();
    assert_eq!(units, [8, 7, 6, 5, 4, 3 + 2 + 1]);
    assert_eq!((failures.kinds[5].cluster, failures.counted, failures.is_part), (None, 36, true));
    assert!(
        failures
            .kinds
            .iter()
            .all(|kind| kind.ends.len() == TIME_BUCKETS && kind.units == kind.ends.iter().sum::<i64>())
    );
}
