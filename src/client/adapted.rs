//! How many units a job that adapts runs at a time, as people and programs are told.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::model::{Adapted, GroupsStatus, Limits, ManagerRun, Timestamp, span};

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
        let lives = |host: &Option<String>| host.as_ref().is_none_or(|host| living.iter().any(|run| run.host == *host));
        let theirs: Vec<&Adapted> = noted.iter().filter(|(host, _)| lives(host)).map(|(_, adapted)| adapted).collect();
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

/// Adds the groups that a manager holds down, of a job that adapts.
pub(super) fn with_adapted(groups: GroupsStatus, noted: &[(Option<String>, Adapted)], limits: &Limits) -> GroupsStatus {
    match noted.iter().find(|(_, adapted)| limits.adapt.is_some() && !adapted.groups.is_empty()) {
        Some((_, adapted)) => groups.with_adapted(&adapted.groups),
        None => groups,
    }
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
    use std::collections::BTreeMap;

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
    }
}
