//! How many units a job that adapts runs at a time, as people and programs are told.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::model::{Adapted, Limits, ManagerRun, Timestamp, span};

/// How many units a job runs at a time because whoever they ask could take no more lately; of several managers all together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AdaptedWorkers {
    /// How many.
    pub workers: usize,
    /// How many would run otherwise.
    pub of: usize,
    /// When somebody who was asked last had too much to do.
    pub busy_at: Option<Timestamp>,
    /// How long ago that was.
    pub busy_seconds: Option<u64>,
}

impl AdaptedWorkers {
    /// Adds up what the managers that live came to; none of a job that does not adapt.
    pub(super) fn of(
        noted: &[(Option<String>, Adapted)],
        living: &[ManagerRun],
        limits: &Limits,
        now: Timestamp,
    ) -> Option<AdaptedWorkers> {
        limits.adapt?;
        let theirs: Vec<&Adapted> = of_living(noted, living).collect();
        let busy_at = theirs.iter().filter_map(|adapted| adapted.busy_at).max();
        (!theirs.is_empty()).then(|| AdaptedWorkers {
            // What was noted may be older than a change of the workers.
            workers: theirs.iter().map(|adapted| adapted.workers.min(limits.workers)).sum(),
            of: theirs.len() * limits.workers,
            busy_at,
            busy_seconds: busy_at.map(|at| now.since(at).as_secs()),
        })
    }
}

/// Returns the groups that the manager which runs them holds down, of a job that adapts, each with how many of its units run at a time.
pub(super) fn adapted_groups(
    noted: &[(Option<String>, Adapted)],
    living: &[ManagerRun],
    limits: &Limits,
) -> BTreeMap<String, usize> {
    let theirs = limits.adapt.and_then(|_| of_living(noted, living).find(|adapted| !adapted.groups.is_empty()));
    theirs.map(|adapted| adapted.groups.clone()).unwrap_or_default()
}

/// Returns what the managers that live have noted: a host without one may have left something behind.
fn of_living<'a>(
    noted: &'a [(Option<String>, Adapted)],
    living: &'a [ManagerRun],
) -> impl Iterator<Item = &'a Adapted> {
    let lives = |host: &Option<String>| host.as_ref().is_none_or(|host| living.iter().any(|run| run.host == *host));
    noted.iter().filter(move |(host, _)| lives(host)).map(|(_, adapted)| adapted)
}

impl fmt::Display for AdaptedWorkers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} workers (adapted", self.workers, self.of)?;
        match self.busy_seconds {
            Some(seconds) => write!(f, ", last busy {} ago)", span(Duration::from_secs(seconds))),
            None => write!(f, ")"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_managers_came_to_is_said_with_when_somebody_was_busy() {
        let (now, limits) =
            (Timestamp::from_micros(20_000_000), Limits { workers: 64, adapt: Some(4), ..Limits::default() });
        let adapted = |second: i64| Adapted {
            workers: 12,
            busy_at: Some(Timestamp::from_micros(second * 1_000_000)),
            groups: BTreeMap::new(),
        };
        let of = |host: Option<&str>, adapted, limits| {
            AdaptedWorkers::of(&[(host.map(str::to_owned), adapted)], &[], limits, now)
                .map(|adapted| adapted.to_string())
        };

        let never = Adapted { busy_at: None, ..adapted(0) };
        assert_eq!(of(None, adapted(6), &limits).unwrap(), "12 of 64 workers (adapted, last busy 14s ago)");
        assert_eq!(of(None, never.clone(), &limits).unwrap(), "12 of 64 workers (adapted)");
        let scaled = Limits { workers: 8, ..limits.clone() };
        assert_eq!(of(None, never, &scaled).unwrap(), "8 of 8 workers (adapted)");
        assert_eq!(of(Some("gone"), adapted(6), &limits), None);
        assert_eq!(of(None, adapted(6), &Limits { adapt: None, ..limits.clone() }), None);
        let held_down = Adapted { groups: [("a".to_owned(), 2)].into(), ..adapted(6) };
        let groups =
            |host: Option<&str>, limits| adapted_groups(&[(host.map(str::to_owned), held_down.clone())], &[], limits);
        assert_eq!(groups(None, &limits), [("a".to_owned(), 2)].into());
        assert_eq!(groups(Some("gone"), &limits), BTreeMap::new(), "of a host whose manager is gone");
        assert_eq!(groups(None, &Limits { adapt: None, ..limits.clone() }), BTreeMap::new());
    }
}
