//! When units of several jobs ended, in pictures so small that they stand beside their names.

use serde::Serialize;

use super::charts::{EndedRun, ends};
use super::{Ends, JobId, Timestamp};

/// Stretches of time that a strip has.
const BUCKETS: usize = 24;
/// What the strip of a database reaches back.
const DAY_US: i64 = 86_400_000_000;

/// When units ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Strip {
    /// The left edge.
    pub from: Timestamp,
    /// How long each of the `ends` lasts, in seconds.
    pub bucket_seconds: f64,
    /// What ended in each stretch of time.
    pub ends: Vec<Ends>,
}

/// The strip of a job.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct JobStrip {
    /// The job.
    pub id: JobId,
    /// Whether its numbers are estimates, drawn from some of the units.
    pub is_estimate: bool,
    /// What it shows.
    #[serde(flatten)]
    pub strip: Strip,
}

/// Strips of jobs, and one of the database. Of large jobs they are drawn from some units, spread evenly over all.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Strips {
    /// The jobs that were asked for, those of which units have ended.
    pub jobs: Vec<JobStrip>,
    /// The last 24 hours, of the latest jobs; none when nothing has ended in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<Strip>,
    /// How many jobs that is drawn from.
    pub of_jobs: usize,
    /// Whether there are jobs before these.
    pub is_part: bool,
}

/// What was looked at of a job.
#[derive(Debug, Clone)]
pub(crate) struct JobSample {
    pub id: JobId,
    pub is_asked: bool,
    pub is_latest: bool,
    pub is_running: bool,
    /// Units that were looked at, of how many that have begun.
    pub of: (i64, i64),
    pub ended: Vec<EndedRun>,
}

impl JobSample {
    /// Returns how many units each of those stands for that were looked at.
    fn weight(&self) -> f64 {
        let (counted, units) = self.of;
        if counted > 0 { units as f64 / counted as f64 } else { 0.0 }
    }

    fn strip(&self, now: Timestamp) -> Option<Strip> {
        let from = self.ended.iter().map(|run| run.started_at).min()?;
        let last = self.ended.iter().map(|run| run.finished_at).max()?;
        let until = if self.is_running { last.max(now) } else { last };
        let width = (until.as_micros().saturating_sub(from.as_micros()) / BUCKETS as i64).saturating_add(1).max(1);
        let weight = self.weight();
        let ends = ends(&self.ended, from, width, BUCKETS, |found| (found as f64 * weight).round() as i64);
        Some(Strip { from, bucket_seconds: width as f64 / 1e6, ends })
    }
}

impl Strips {
    /// Adds up what was looked at.
    pub(crate) fn of(samples: &[JobSample], is_part: bool, now: Timestamp) -> Strips {
        let of_job = |sample: &JobSample| {
            Some(JobStrip { id: sample.id, is_estimate: sample.of.0 < sample.of.1, strip: sample.strip(now)? })
        };
        let jobs = samples.iter().filter(|sample| sample.is_asked).filter_map(of_job).collect();
        let from = Timestamp::from_micros(now.as_micros().saturating_sub(DAY_US));
        let width = DAY_US / BUCKETS as i64 + 1;
        let mut all = vec![Ends::default(); BUCKETS];
        let latest = || samples.iter().filter(|sample| sample.is_latest);
        for sample in latest() {
            let weight = sample.weight();
            let since: Vec<EndedRun> = sample.ended.iter().filter(|run| run.finished_at >= from).copied().collect();
            let own = ends(&since, from, width, BUCKETS, |found| (found as f64 * weight).round() as i64);
            for (sum, own) in all.iter_mut().zip(own) {
                (sum.completed, sum.failed) = (sum.completed + own.completed, sum.failed + own.failed);
            }
        }
        let has_some = all.iter().any(|ends| ends.completed + ends.failed > 0);
        let database = has_some.then(|| Strip { from, bucket_seconds: width as f64 / 1e6, ends: all });
        Strips { jobs, database, of_jobs: latest().count(), is_part }
    }
}

#[cfg(test)]
mod tests {
    use super::super::UnitStatus;
    use super::*;

    #[test]
    fn a_strip_counts_all_units_of_its_job_and_that_of_the_database_those_of_a_day() {
        let now = Timestamp::from_micros(10 * DAY_US);
        let ended = |ago_us: i64| EndedRun {
            status: UnitStatus::Completed,
            started_at: Timestamp::from_micros(now.as_micros() - ago_us - 1),
            finished_at: Timestamp::from_micros(now.as_micros() - ago_us),
        };
        let sample = |id, of, ended| JobSample {
            id: JobId(id),
            is_asked: id == 1,
            is_latest: true,
            is_running: false,
            of,
            ended,
        };
        let samples =
            [sample(1, (2, 20), vec![ended(5), ended(2 * DAY_US)]), sample(2, (1, 1), vec![ended(DAY_US / 2)])];

        let strips = Strips::of(&samples, true, now);

        let sum = |strip: &Strip| strip.ends.iter().map(|ends| ends.completed).sum::<i64>();
        assert_eq!(strips.jobs.iter().map(|job| (job.id, sum(&job.strip))).collect::<Vec<_>>(), [(JobId(1), 20)]);
        assert_eq!((strips.database.as_ref().map(sum), strips.of_jobs), (Some(11), 2));
        assert_eq!(Strips::of(&[sample(1, (0, 0), Vec::new())], false, now).database, None);
    }
}
