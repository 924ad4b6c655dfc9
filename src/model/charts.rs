//! When the units of a job ended and how long they took, as numbers that a picture can be drawn from.

use serde::Serialize;

use super::{Timestamp, UnitStatus};

/// Stretches of time that the life of a job is divided into.
pub const TIME_BUCKETS: usize = 120;
/// What the bounds of a decade of durations are, in its units.
const STEPS: [i64; 3] = [1, 2, 5];

/// Microseconds that no unit takes.
const LONGEST: i64 = 100_000_000_000_000_000;

/// A unit that has run and ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EndedRun {
    pub status: UnitStatus,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
}

/// When units ended and how long they took.
///
/// Up to some thousand units are all counted. Of more a sample is, spread evenly over their numbers, and what stands here is
/// multiplied to what all of them would have given: then `counted` is less than `units`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Charts {
    /// Units that had a turn so far.
    pub units: i64,
    /// How many of those were looked at.
    pub counted: i64,
    /// When the first one started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// How long each of the `ends` lasts, in seconds.
    pub bucket_seconds: f64,
    /// The units that ended in each stretch of time from `from` on: none, or [`TIME_BUCKETS`].
    pub ends: Vec<Ends>,
    /// How long units took, the shortest first; bounds are 1, 2 and 5 in each decade, without a gap.
    pub durations: Vec<Durations>,
    /// The duration in seconds that half of the units did not exceed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_seconds: Option<f64>,
    /// The same of 95 of 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95_seconds: Option<f64>,
    /// The same of 99 of 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p99_seconds: Option<f64>,
}

/// What ended in a stretch of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Ends {
    /// Units that completed.
    pub completed: i64,
    /// Units that failed for good.
    pub failed: i64,
}

/// Units that took about the same time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Durations {
    /// They took at least so many seconds.
    pub from_seconds: f64,
    /// And less than so many.
    pub to_seconds: f64,
    /// How many.
    pub units: i64,
}

impl Charts {
    /// Adds up the ends among `counted` of `units`, up to `now` for a job that runs.
    pub(crate) fn of(runs: &[EndedRun], units: i64, counted: i64, now: Option<Timestamp>) -> Charts {
        let mut micros: Vec<i64> = runs.iter().map(EndedRun::micros).collect();
        micros.sort_unstable();
        let at = |percent: usize| Some(seconds(*micros.get((micros.len() * percent).div_ceil(100).checked_sub(1)?)?));
        let scale = |found: i64| match counted < units {
            true => (found as f64 * units as f64 / counted as f64).round() as i64,
            false => found,
        };
        let mut charts = Charts {
            units,
            counted,
            from: runs.iter().map(|run| run.started_at).min(),
            bucket_seconds: 0.0,
            ends: Vec::new(),
            durations: durations(&micros, scale),
            p50_seconds: at(50),
            p95_seconds: at(95),
            p99_seconds: at(99),
        };
        if let (Some(from), Some(last)) = (charts.from, runs.iter().map(|run| run.finished_at).max()) {
            let until = last.max(now.unwrap_or(last));
            let width = (until.as_micros().saturating_sub(from.as_micros()) / TIME_BUCKETS as i64 + 1).max(1);
            charts.bucket_seconds = seconds(width);
            charts.ends = ends(runs, from, width, scale);
        }
        charts
    }
}

impl EndedRun {
    fn micros(&self) -> i64 {
        // A clock that went backwards took no time, and none has gone for longer than thousands of years.
        self.finished_at.as_micros().saturating_sub(self.started_at.as_micros()).clamp(0, LONGEST)
    }
}

fn ends(runs: &[EndedRun], from: Timestamp, width: i64, scale: impl Fn(i64) -> i64) -> Vec<Ends> {
    let mut found = vec![Ends::default(); TIME_BUCKETS];
    for run in runs {
        let place = run.finished_at.as_micros().saturating_sub(from.as_micros()).max(0) / width;
        let Some(ends) = usize::try_from(place).ok().and_then(|place| found.get_mut(place)) else { continue };
        match run.status {
            UnitStatus::Completed => ends.completed += 1,
            UnitStatus::Failed => ends.failed += 1,
            _ => {}
        }
    }
    found.iter().map(|ends| Ends { completed: scale(ends.completed), failed: scale(ends.failed) }).collect()
}

/// Counts durations, which are sorted, between bounds.
fn durations(micros: &[i64], scale: impl Fn(i64) -> i64) -> Vec<Durations> {
    let (Some(&shortest), Some(&longest)) = (micros.first(), micros.last()) else { return Vec::new() };
    let mut bounds = vec![0];
    // From a millisecond on: what is shorter is of one kind.
    let mut decade = 1_000_i64;
    while *bounds.last().unwrap_or(&0) <= longest {
        bounds.extend(STEPS.map(|step| decade.saturating_mul(step)));
        decade = decade.saturating_mul(10);
    }
    let between = bounds.windows(2).filter(|bound| bound[1] > shortest && bound[0] <= longest);
    between
        .map(|bound| {
            let [from, to] = [bound[0], bound[1]].map(|bound| micros.partition_point(|&taken| taken < bound));
            let units = scale(i64::try_from(to - from).unwrap_or(i64::MAX));
            Durations { from_seconds: seconds(bound[0]), to_seconds: seconds(bound[1]), units }
        })
        .collect()
}

fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
