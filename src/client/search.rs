//! Looking for units in a bounded time.
//!
//! A filter by item or by kind of failure looks at every unit. A search reads a bounded range of numbers at a time: no
//! snapshot is held for long, and whoever asked is told how far it came instead of being left to wait.

use std::time::{Duration, Instant};

use super::{Client, ClientError};
use crate::model::{JobId, Seq, UnitDetail, UnitFilter};

/// How long a face looks for units before it answers a program.
pub(crate) const SEARCH_TIME: Duration = Duration::from_millis(500);
/// Units that are looked at between two looks at the clock.
const RANGE_UNITS: i64 = 2000;

/// What a search found.
pub(crate) struct UnitsFound {
    pub units: Vec<UnitDetail>,
    /// Number after which the search goes on, if there may be more.
    pub next_after: Option<Seq>,
    /// Number up to which it came, if its time ran out before there were as many units as were asked for.
    pub searched_through: Option<Seq>,
}

impl Client {
    /// Returns up to `limit` units after `after` in order of their numbers, as many as are found within `budget`.
    pub(crate) fn search_units(
        &self,
        job: JobId,
        filter: &UnitFilter,
        after: Option<Seq>,
        limit: i64,
        budget: Duration,
    ) -> Result<UnitsFound, ClientError> {
        let begun = Instant::now();
        let filter = filter.after(after.unwrap_or(Seq(0)));
        let total = self.store().job(job)?.progress.total;
        let end = filter.last.map_or(total, |last| last.0.min(total));
        let range = if filter.looks_at_each_unit() { RANGE_UNITS } else { i64::MAX };
        let mut through = filter.first.map_or(0, |first| first.0.saturating_sub(1));
        let mut units = Vec::new();
        let start = through;
        while through < end {
            if through > start && begun.elapsed() >= budget {
                let reached = Some(Seq(through));
                return Ok(UnitsFound { units, next_after: reached, searched_through: reached });
            }
            let part = through.saturating_add(range).min(end);
            let left = limit - i64::try_from(units.len()).expect("a page fits into 64 bits");
            let filter = UnitFilter { last: Some(Seq(part)), ..filter.clone() };
            let mut found = self.store().units(job, &filter, Some(Seq(through)), left)?;
            let is_full = i64::try_from(found.len()).is_ok_and(|found| found == left);
            units.append(&mut found);
            if is_full {
                let next_after = units.last().map(|unit| unit.seq);
                return Ok(UnitsFound { units, next_after, searched_through: None });
            }
            through = part;
        }
        Ok(UnitsFound { units, next_after: None, searched_through: None })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NewJob, NewUnit};

    #[test]
    fn fault_190_a_search_whose_time_is_over_says_how_far_it_came_and_goes_on_from_there() {
        let dir = tempfile::tempdir().unwrap();
        let client = Client::create(&dir.path().join("jobs.db")).unwrap();
        let units = (1..=4500).map(|number| NewUnit { key: None, payload: number.to_string() });
        let new = NewJob::new("job", "handler");
        let job = client.create_job(&new, units).unwrap().job;
        let filter = UnitFilter { pattern: Some("^(7|4321)$".parse().unwrap()), ..UnitFilter::all() };
        let (mut after, mut seen) = (None, Vec::new());

        loop {
            let found = client.search_units(job, &filter, after, 10, Duration::ZERO).unwrap();
            let numbers = found.units.iter().map(|unit| unit.seq.0).collect::<Vec<_>>();
            seen.push((numbers, found.searched_through.map(|seq| seq.0)));
            after = found.next_after;
            if after.is_none() {
                break;
            }
        }

        assert_eq!(seen, [(vec![7], Some(2000)), (vec![], Some(4000)), (vec![4321], None)]);
    }
}
