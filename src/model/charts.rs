//! When the units of a job ended and how long they took, as numbers that a picture can be drawn from.

use std::collections::HashMap;

use serde::Serialize;

use super::{ClusterId, ManagerRun, ManagerState, Timestamp, UnitStatus};

/// Stretches of time that the life of a job is divided into.
pub const TIME_BUCKETS: usize = 120;
/// What the bounds of a decade of durations are, in its units.
const STEPS: [i64; 3] = [1, 2, 5];

/// Microseconds after its last heartbeat from which a manager counts as gone: far more than one that can write lets pass.
const SILENCE: i64 = 60_000_000;
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
    /// Stretches of time in which no manager ran the job.
    pub pauses: Vec<Pause>,
    /// When units failed, by kind; none where none has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failures: Option<FailureTimes>,
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

/// A stretch of time in which nobody ran a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Pause {
    /// When the last manager before it ended, or was last heard of.
    pub from: Timestamp,
    /// When the next one began; the right edge of the picture where none has.
    pub to: Timestamp,
}

/// When units failed that have failed for good, by kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FailureTimes {
    /// Failed units that were looked at: those with the highest numbers.
    pub counted: i64,
    /// Whether there are more.
    pub is_part: bool,
    /// The most frequent kinds among them, then the rest as one without an id.
    pub kinds: Vec<KindTimes>,
}

/// When units of a kind failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KindTimes {
    /// The kind; none for several that are counted together.
    pub cluster: Option<ClusterId>,
    /// How many units.
    pub units: i64,
    /// Those of each stretch of time of [`Charts::ends`].
    pub ends: Vec<i64>,
}

/// Kinds of failures that are told apart.
const MOST_KINDS: usize = 5;
/// Pauses that are named, the longest.
const MOST_PAUSES: usize = 200;

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
            pauses: Vec::new(),
            failures: None,
            durations: durations(&micros, scale),
            p50_seconds: at(50),
            p95_seconds: at(95),
            p99_seconds: at(99),
        };
        if let (Some(from), Some(last)) = (charts.from, runs.iter().map(|run| run.finished_at).max()) {
            let until = last.max(now.unwrap_or(last));
            let width = (until.as_micros().saturating_sub(from.as_micros()) / TIME_BUCKETS as i64 + 1).max(1);
            charts.bucket_seconds = seconds(width);
            charts.ends = ends(runs, from, width, TIME_BUCKETS, scale);
        }
        charts
    }

    /// Returns the right edge of what is over time.
    fn until(&self) -> Option<i64> {
        let life = self.bucket_seconds * 1e6 * TIME_BUCKETS as f64;
        Some(self.from?.as_micros().saturating_add(life as i64))
    }

    /// Adds when nobody ran the job, as far as its managers tell; one that lives is still there at the right edge.
    #[must_use]
    pub(crate) fn with_pauses(mut self, managers: &[ManagerRun], are_frequent: bool) -> Charts {
        let Some((from, until)) = self.from.zip(self.until()) else { return self };
        let span = |run: &ManagerRun| {
            let ended_at = match run.state {
                // One that has died stands as live until somebody goes on with the job.
                ManagerState::Live
                    if !are_frequent || until.saturating_sub(run.heartbeat_at.as_micros()) <= SILENCE =>
                {
                    until
                }
                _ => run.ended_at.unwrap_or(run.heartbeat_at).as_micros(),
            };
            Some((run.started_at?.as_micros(), ended_at))
        };
        // One of an older version did not say when it began: what was before it is not known.
        let Some(mut runs) = managers.iter().map(span).collect::<Option<Vec<_>>>() else { return self };
        runs.sort_unstable();
        let Some(&(_, mut reached)) = runs.first() else { return self };
        reached = reached.max(from.as_micros());
        for (began, ended) in runs.into_iter().skip(1).chain([(until, until)]) {
            if began.min(until) > reached {
                let [from, to] = [reached, began.min(until)].map(Timestamp::from_micros);
                self.pauses.push(Pause { from, to });
            }
            reached = reached.max(ended);
        }
        self.pauses.sort_by_key(|pause| pause.from.as_micros().saturating_sub(pause.to.as_micros()));
        self.pauses.truncate(MOST_PAUSES);
        self.pauses.sort_by_key(|pause| pause.from);
        self
    }

    /// Adds when units failed, each with its kind; `is_part` says that there are more.
    #[must_use]
    pub(crate) fn with_failures(mut self, failed: &[(ClusterId, Timestamp)], is_part: bool) -> Charts {
        let Some(from) = self.from.filter(|_| !failed.is_empty()) else { return self };
        let width = (self.bucket_seconds * 1e6).max(1.0) as i64;
        let mut by_kind: HashMap<ClusterId, Vec<i64>> = HashMap::new();
        for (kind, at) in failed {
            let place = at.as_micros().saturating_sub(from.as_micros()).max(0) / width;
            let place = usize::try_from(place).map_or(TIME_BUCKETS - 1, |place| place.min(TIME_BUCKETS - 1));
            by_kind.entry(*kind).or_insert_with(|| vec![0; TIME_BUCKETS])[place] += 1;
        }
        let kind =
            |(kind, ends): (ClusterId, Vec<i64>)| KindTimes { cluster: Some(kind), units: ends.iter().sum(), ends };
        let mut kinds: Vec<KindTimes> = by_kind.into_iter().map(kind).collect();
        kinds.sort_by_key(|kind| (-kind.units, kind.cluster.map(ClusterId::as_number)));
        let rest = kinds.split_off(kinds.len().min(MOST_KINDS));
        if !rest.is_empty() {
            let sum = |place| rest.iter().map(|kind| kind.ends[place]).sum();
            let ends: Vec<i64> = (0..TIME_BUCKETS).map(sum).collect();
            kinds.push(KindTimes { cluster: None, units: ends.iter().sum(), ends });
        }
        let counted = i64::try_from(failed.len()).unwrap_or(i64::MAX);
        self.failures = Some(FailureTimes { counted, is_part, kinds });
        self
    }
}

impl EndedRun {
    fn micros(&self) -> i64 {
        // A clock that went backwards took no time, and none has gone for longer than thousands of years.
        self.finished_at.as_micros().saturating_sub(self.started_at.as_micros()).clamp(0, LONGEST)
    }
}

/// Counts the ends in each of so many stretches of time.
pub(super) fn ends(
    runs: &[EndedRun],
    from: Timestamp,
    width: i64,
    buckets: usize,
    scale: impl Fn(i64) -> i64,
) -> Vec<Ends> {
    let mut found = vec![Ends::default(); buckets];
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
mod tests;
