//! What the first units of a job say about the rest, for whoever decides whether it goes on.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::model::{Amount, Expected, FailureCluster, Job, Slots, counted, share, span, sum_of_rest, time_of_rest};
use crate::store::EndedUnit;

/// Kinds of failures that are named.
pub(super) const KINDS: usize = 3;

/// What the first units of a job say about the rest. Intervals hold in 90 of 100 cases, that of the share in 95, if the first units
/// were drawn at random; else only as far as the others are like them.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Projection {
    /// Whether the first units were drawn at random.
    pub at_random: bool,
    /// How many of them have completed or failed.
    pub ended: u64,
    /// How many of those completed.
    pub well: u64,
    /// Between which bounds the share of units lies that complete, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<[f64; 2]>,
    /// The most frequent kinds of failures: how many units, and what their errors have in common.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<(i64, String)>,
    /// Units that have not ended.
    pub left: u64,
    /// Units that run at a time.
    pub workers: usize,
    /// Seconds until all have ended, once the job goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<Expected>,
    /// What the whole job will have cost, by each of its meters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub meters: Vec<MeterProjection>,
}

/// What a job will have cost by one of its meters.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MeterProjection {
    /// The meter.
    pub name: String,
    /// The sum at the end.
    #[serde(flatten)]
    pub at_the_end: Expected,
}

impl Projection {
    pub(super) fn of(
        job: &Job,
        ended: &[EndedUnit],
        spent: &[(String, Amount)],
        failures: &[FailureCluster],
    ) -> Projection {
        let count = |units: usize| units as u64;
        let well = count(ended.iter().filter(|unit| unit.is_well).count());
        let (left, limits) = (job.progress.unfinished().unsigned_abs(), &job.limits);
        let slots = if let Slots::Each(slots) = limits.slots { slots.max(1) } else { 1 };
        let workers = (limits.total_workers.unwrap_or(limits.workers) / slots).max(1);
        let times: Vec<f64> = ended.iter().map(|unit| unit.seconds).collect();
        // However fast units are, no more start.
        let least = limits.rate.map_or(0.0, |rate| rate.interval().as_secs_f64() * left as f64);
        let meter = |(name, before): &(String, Amount)| {
            let cost = |unit: &EndedUnit| unit.spent.get(name).copied().unwrap_or_default().as_f64();
            let costs: Vec<f64> = ended.iter().map(cost).collect();
            let at_the_end = sum_of_rest(&costs, left)?.map(|rest| before.as_f64() + rest);
            Some(MeterProjection { name: name.clone(), at_the_end })
        };
        Projection {
            at_random: limits.sample.is_some(),
            ended: count(ended.len()),
            well,
            share: share(well, count(ended.len())).map(|(low, high)| [low, high]),
            failures: failures.iter().take(KINDS).map(|kind| (kind.count, kind.text.clone())).collect(),
            left,
            workers,
            seconds: time_of_rest(&times, left, workers).map(|time| time.map(|seconds| seconds.max(least))),
            meters: spent.iter().filter_map(meter).collect(),
        }
    }

    /// Says how many of the first units ended well.
    pub fn ended_well(&self) -> String {
        let share = self.share.map_or_else(String::new, |[low, high]| {
            format!(" (true share {}–{} %)", (low * 100.0).floor(), (high * 100.0).ceil())
        });
        format!("{} of {} ended well{share}", self.well, self.ended)
    }

    /// Says what the rest takes and what all will have cost; nothing while too little is known.
    pub fn rest(&self) -> Option<String> {
        let time = self.seconds.map(|seconds| {
            let said = |seconds: f64| span(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX));
            let workers = counted(i64::try_from(self.workers).unwrap_or(i64::MAX), "worker");
            let (low, high) = (said(seconds.low), said(seconds.high));
            format!("about {} on {workers} ({low}–{high})", said(seconds.expected))
        });
        let cost = |meter: &MeterProjection| {
            let said = |sum: f64| Amount::from_millionths((sum * 1e6).min(9e18) as i64).unwrap_or_default().about();
            let Expected { low, expected, high } = meter.at_the_end;
            format!("{} {} at the end ({}–{})", said(expected), meter.name, said(low), said(high))
        };
        let parts: Vec<String> = time.into_iter().chain(self.meters.iter().map(cost)).collect();
        let left = counted(i64::try_from(self.left).unwrap_or(i64::MAX), "unit");
        (!parts.is_empty()).then(|| format!("{left} left: {}", parts.join(", ")))
    }
}

impl fmt::Display for Projection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.ended_well())?;
        self.rest().map_or(Ok(()), |rest| write!(f, "; {rest}"))
    }
}
