//! What is counted of attempts over all jobs, for monitoring: numbers that only grow.
//!
//! A manager counts in memory and adds what is new to the database from time to time; what it has counted since then is lost with it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Cause, UnitOutcome, UnitStatus};

/// Bounds of the durations of units that are counted together, in milliseconds. One that is added later leaves the counts of before
/// as they are.
pub const DURATION_BOUNDS_MS: [u64; 15] = [
    10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 14_400_000,
];
/// Bounds of the times that commits take.
const COMMIT_BOUNDS_MS: [u64; DURATION_BOUNDS_MS.len()] =
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000];
/// What durations are counted of.
const TIMED: [UnitStatus; 2] = [UnitStatus::Completed, UnitStatus::Failed];

/// What a manager has counted of attempts that have ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    completed: u64,
    skipped: u64,
    by_cause: [u64; Cause::ALL.len()],
    retries: u64,
    durations: [Runs; TIMED.len()],
    commits: Runs,
}

/// How long units ran, or commits took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Runs {
    micros: u64,
    /// By their bounds; the last one has none.
    counts: [u64; DURATION_BOUNDS_MS.len() + 1],
}

impl Tally {
    /// Counts an attempt that has ended, after which its unit is in that state.
    pub fn add(&mut self, outcome: &UnitOutcome, to: UnitStatus, took: Option<Duration>) {
        match (outcome, outcome.failure()) {
            (UnitOutcome::Completed { .. }, _) => self.completed += 1,
            (UnitOutcome::Skipped { .. }, _) => self.skipped += 1,
            (_, Some((cause, _))) => self.by_cause[cause as usize] += 1,
            // None was made.
            (_, None) => {}
        }
        self.retries += u64::from(matches!(outcome, UnitOutcome::Retry { .. }) && to == UnitStatus::Pending);
        if let (Some(place), Some(took)) = (TIMED.iter().position(|timed| *timed == to), took) {
            self.durations[place].add(took, &DURATION_BOUNDS_MS);
        }
    }

    /// Counts a commit of what became of units.
    pub fn add_commit(&mut self, took: Duration) {
        self.commits.add(took, &COMMIT_BOUNDS_MS);
    }

    /// Returns `true` if nothing was counted, but maybe commits: these alone are not worth one.
    pub fn is_empty(&self) -> bool {
        Self { commits: Runs::default(), ..self.clone() } == Self::default()
    }

    /// Returns what was counted, by names that stay the same from version to version.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        let causes = Cause::ALL.iter().map(|cause| (name_of_attempts(cause.as_str()), self.by_cause[*cause as usize]));
        let attempts = [("completed", self.completed), ("skipped", self.skipped)];
        let mut counts: BTreeMap<String, u64> =
            attempts.into_iter().map(|(word, count)| (name_of_attempts(word), count)).chain(causes).collect();
        counts.insert(RETRIES.to_owned(), self.retries);
        for (status, runs) in TIMED.iter().zip(&self.durations) {
            counts.insert(name_of_time(*status), runs.micros);
            counts.extend(runs.by_bound(&DURATION_BOUNDS_MS, |bound| name_of_duration(*status, bound)));
        }
        counts.insert(COMMIT_TIME.to_owned(), self.commits.micros);
        counts.extend(self.commits.by_bound(&COMMIT_BOUNDS_MS, name_of_commits));
        counts.retain(|_, count| *count > 0);
        counts
    }
}

type Bounds = [u64; DURATION_BOUNDS_MS.len()];

impl Runs {
    fn add(&mut self, took: Duration, bounds: &Bounds) {
        self.micros += u64::try_from(took.as_micros()).unwrap_or(u64::MAX / 2);
        let bound = bounds.iter().position(|bound| took <= Duration::from_millis(*bound));
        self.counts[bound.unwrap_or(bounds.len())] += 1;
    }

    fn by_bound<'a>(
        &'a self,
        bounds: &'a Bounds,
        name: impl Fn(Option<u64>) -> String + 'a,
    ) -> impl Iterator<Item = (String, u64)> + 'a {
        each_bound(bounds).zip(self.counts).map(move |(bound, count)| (name(bound), count))
    }
}

/// Returns the bounds, with one behind them that has no end.
fn each_bound(bounds: &Bounds) -> impl Iterator<Item = Option<u64>> {
    bounds.iter().map(|bound| Some(*bound)).chain([None])
}

const RETRIES: &str = "retries";
const COMMIT_TIME: &str = "commit_microseconds";
/// Name of the count of managers that have died.
pub const MANAGER_DEATHS: &str = "manager_deaths";

fn name_of_attempts(outcome: &str) -> String {
    format!("attempts:{outcome}")
}

fn name_of_time(status: UnitStatus) -> String {
    format!("microseconds:{status}")
}

fn name_of_commits(bound_ms: Option<u64>) -> String {
    bound_ms.map_or_else(|| "commit:more".to_owned(), |bound| format!("commit:{bound}"))
}

fn name_of_duration(status: UnitStatus, bound_ms: Option<u64>) -> String {
    match bound_ms {
        Some(bound) => format!("duration:{status}:{bound}"),
        None => format!("duration:{status}:more"),
    }
}

/// Returns the name of the count of units in an end state that have left it, or were deleted with their job.
pub fn name_of_ended(status: UnitStatus) -> String {
    format!("ended:{status}")
}

/// What has happened in a database since it was made, whatever became of the jobs: none of these numbers ever becomes less.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Totals {
    /// Units that have reached each state at which they end, as often as they did.
    pub units: Vec<(UnitStatus, u64)>,
    /// Attempts by how they ended: `completed`, `skipped`, or why they came to nothing.
    pub attempts: Vec<(&'static str, u64)>,
    /// Attempts after which their unit was tried again.
    pub retries: u64,
    /// Managers that died before they had recorded their end, as far as that was seen.
    pub manager_deaths: u64,
    /// How long the last attempts of units took that completed, and of those that failed.
    pub durations: Vec<(UnitStatus, DurationTotals)>,
    /// How long managers took to commit what became of units; of those that died, up to their last heartbeat.
    pub commits: DurationTotals,
}

/// How long units ran or commits took, by bounds.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct DurationTotals {
    /// The sum, in seconds.
    pub sum_seconds: f64,
    /// Bounds in seconds, the last one infinite, and how many took longer than the bound before and not longer than this one.
    pub counts: Vec<(f64, u64)>,
}

impl Totals {
    /// Puts together what has been counted, with the units that are in their end states now.
    pub fn of(counts: &BTreeMap<String, u64>, ended_now: impl Fn(UnitStatus) -> u64) -> Totals {
        let count = |name: &str| counts.get(name).copied().unwrap_or_default();
        let ended = UnitStatus::ALL.iter().filter(|status| status.is_terminal());
        let words = ["completed", "skipped"].into_iter().chain(Cause::ALL.iter().map(|cause| cause.as_str()));
        let totals = |time: &str, bounds: &Bounds, name: &dyn Fn(Option<u64>) -> String| {
            let seconds = |bound: Option<u64>| bound.map_or(f64::INFINITY, |bound| bound as f64 / 1e3);
            let counts = each_bound(bounds).map(|bound| (seconds(bound), count(&name(bound)))).collect();
            DurationTotals { sum_seconds: count(time) as f64 / 1e6, counts }
        };
        let durations = |status: UnitStatus| {
            let name = |bound| name_of_duration(status, bound);
            (status, totals(&name_of_time(status), &DURATION_BOUNDS_MS, &name))
        };
        Totals {
            units: ended.map(|status| (*status, ended_now(*status) + count(&name_of_ended(*status)))).collect(),
            attempts: words.map(|word| (word, count(&name_of_attempts(word)))).collect(),
            retries: count(RETRIES),
            manager_deaths: count(MANAGER_DEATHS),
            durations: TIMED.map(durations).into(),
            commits: totals(COMMIT_TIME, &COMMIT_BOUNDS_MS, &name_of_commits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_manager_has_counted_is_found_again_by_its_names() {
        let mut tally = Tally::default();
        let retry = UnitOutcome::Retry { cause: Cause::TimedOut, error: "slow".to_owned(), delay: None };

        tally.add(&UnitOutcome::Completed { result: None }, UnitStatus::Completed, Some(Duration::from_millis(30)));
        tally.add(&retry, UnitStatus::Pending, Some(Duration::from_secs(9)));
        tally.add(&retry, UnitStatus::Failed, Some(Duration::from_secs(90_000)));
        tally.add_commit(Duration::from_micros(1_500));
        let totals = Totals::of(&tally.counts(), |status| u64::from(status == UnitStatus::Failed));

        let attempts: Vec<_> = totals.attempts.iter().filter(|(_, count)| *count > 0).copied().collect();
        assert_eq!(attempts, [("completed", 1), ("timed_out", 2)]);
        assert_eq!((totals.retries, totals.manager_deaths), (1, 0));
        assert!(totals.units.contains(&(UnitStatus::Failed, 1)), "{totals:?}");
        let [(_, completed), (_, failed)] = &totals.durations[..] else { panic!("{totals:?}") };
        assert_eq!((completed.sum_seconds, completed.counts[1]), (0.03, (0.03, 1)));
        assert_eq!((failed.sum_seconds, failed.counts.last()), (90_000.0, Some(&(f64::INFINITY, 1))));
        assert_eq!((totals.commits.sum_seconds, totals.commits.counts[1]), (0.0015, (0.002, 1)));
        assert!(Tally::default().is_empty() && !tally.is_empty());
    }
}
