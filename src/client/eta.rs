//! When a job ends, as far as that can be told: never where a limit or a person decides and the limit does not say.

use serde::Serialize;

use super::Snapshot;
use crate::model::{Progress, Slots, Why};
use crate::sys::zone_of;

/// An interval in which the end is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct EtaSeconds {
    /// Seconds, if all goes a little better than lately.
    pub low: u64,
    /// Seconds, if all goes a little worse.
    pub high: u64,
}

impl Snapshot {
    /// Returns when the job is expected to end, if it goes on at a pace that is known.
    pub fn eta(&self) -> Option<EtaSeconds> {
        of(self, self.explanation().cause)
    }
}

/// Returns when a job is expected to end of which the cause says why it is where it is.
pub(super) fn of(seen: &Snapshot, cause: Why) -> Option<EtaSeconds> {
    let (limits, progress) = (&seen.job.limits, &seen.job.progress);
    // It pauses after its first units, and a person decides when it goes on.
    if limits.canary.is_some_and(|first| progress.total > i64::from(first)) {
        return None;
    }
    let bound = limits.rate.map(|rate| 1.0 / rate.interval().as_secs_f64());
    let pace = match cause {
        // The rate of a meter or of groups says nothing about how many units it lets through.
        Why::RateLimited if seen.waits.is_some() => None,
        Why::RateLimited => bound,
        // With workers to spare the limit decides, and not what happened to end lately.
        Why::Working if bound.is_some() && is_idle(seen) => bound,
        Why::Working | Why::UnitsSlow | Why::LacksResources | Why::Adapted => {
            seen.rate.map(|rate| bound.map_or(rate, |bound| rate.min(bound)))
        }
        // The pace of before says nothing about when units start again.
        _ => None,
    };
    let soonest = limits.rate.map_or(0.0, |rate| rate.interval().as_secs_f64() * (progress.pending - 1).max(0) as f64);
    let found = eta(progress, pace?, soonest)?;
    ends_in_window(seen, found).then_some(found)
}

/// Returns `true` if more units could run than do, but for the rate at which they start.
fn is_idle(seen: &Snapshot) -> bool {
    let limits = &seen.job.limits;
    let workers = seen.adapted.map_or(limits.total_workers.unwrap_or(limits.workers), |adapted| adapted.workers);
    let at_a_time = workers / if let Slots::Each(slots) = limits.slots { slots.max(1) } else { 1 };
    limits.groups.is_none() && usize::try_from(seen.job.progress.running).is_ok_and(|running| running < at_a_time)
}

/// Returns `false` if the times of day at which units may start are over before the job would end.
fn ends_in_window(seen: &Snapshot, eta: EtaSeconds) -> bool {
    let Some(windows) = &seen.job.limits.start.window else { return true };
    // One that is unknown here only is not judged.
    let Ok(zone) = zone_of(&windows.zone) else { return false };
    let opening = windows.opening(seen.now, &zone);
    opening.is_open && opening.until.since(seen.now).as_secs() >= eta.high
}

/// Returns the time left at `rate`, wider the fewer units have ended, and not less than `soonest` seconds.
fn eta(progress: &Progress, rate: f64, soonest: f64) -> Option<EtaSeconds> {
    if rate <= 0.0 || progress.unfinished() == 0 {
        return None;
    }
    let spread = (1.0 / (progress.ended().max(1) as f64).sqrt()).clamp(0.05, 0.5);
    let left = progress.unfinished() as f64 / rate;
    let (low, high) = ((left * (1.0 - spread)).max(soonest), (left * (1.0 + spread)).max(soonest));
    Some(EtaSeconds { low: low.floor() as u64, high: high.ceil() as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eta_is_an_interval_around_what_is_left_at_the_present_rate() {
        let progress = Progress { total: 1000, pending: 500, completed: 500, ..Progress::default() };

        assert_eq!(eta(&progress, 10.0, 0.0), Some(EtaSeconds { low: 47, high: 53 }));
        assert_eq!(eta(&progress, 10.0, 50.0), Some(EtaSeconds { low: 50, high: 53 }));
    }

    #[test]
    fn without_a_rate_there_is_no_eta() {
        let progress = Progress { total: 10, pending: 10, ..Progress::default() };

        assert_eq!(eta(&progress, 0.0, 0.0), None);
    }
}
