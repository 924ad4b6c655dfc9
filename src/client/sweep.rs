//! Changing units that only a look at each of them selects: a range of numbers at a time, within a time.
//!
//! Nobody waits for a lock that is held while a million items are compared: each range is looked through before, and only
//! where something fits is it looked through again to be changed.

use std::time::{Duration, Instant};

use super::ranges::Ranges;
use super::{Client, ClientError};
use crate::model::{JobId, Seq, UnitFilter};

/// Units of the first range, and the time after which ranges do not grow any more.
const FIRST_RANGE: i64 = 2_000;
const LONG_RANGE: Duration = Duration::from_millis(25);

/// What a change of many units came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnitsSwept {
    /// Units that were changed.
    pub changed: i64,
    /// Number up to which units were looked at, if the time ran out; whoever goes on begins after it.
    pub searched_through: Option<Seq>,
}

impl Client {
    /// Has `change` change the units that a filter selects; each call of it is one transaction.
    ///
    /// # Errors
    /// [`ClientError::NoUnitFits`] when all were looked at and none was changed.
    pub(super) fn sweep_units(
        &self,
        job: JobId,
        filter: &UnitFilter,
        budget: Option<Duration>,
        mut change: impl FnMut(&UnitFilter) -> Result<i64, ClientError>,
    ) -> Result<UnitsSwept, ClientError> {
        let mut swept = UnitsSwept { changed: 0, searched_through: None };
        if filter.looks_at_each_unit() {
            let total = self.store().progress(job)?.total;
            let mut ranges = Ranges::of(filter, total, FIRST_RANGE, budget.unwrap_or(Duration::MAX));
            while let Some(range) = ranges.next() {
                let at = Instant::now();
                let found = self.store().units(job, &range, None, 1)?;
                if let Some(unit) = found.first() {
                    swept.changed += change(&UnitFilter { first: Some(unit.seq), ..range })?;
                }
                if at.elapsed() < LONG_RANGE {
                    ranges.size = ranges.size.saturating_mul(2);
                }
            }
            swept.searched_through = ranges.stopped_at();
        } else {
            swept.changed = change(filter)?;
        }
        if swept.changed == 0 && swept.searched_through.is_none() {
            Err(ClientError::NoUnitFits { job })
        } else {
            Ok(swept)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NewJob, NewUnit};

    fn numbers(count: u32) -> (tempfile::TempDir, Client, JobId) {
        let dir = tempfile::tempdir().unwrap();
        let client = Client::create(&dir.path().join("jobs.db")).unwrap();
        let units = (1..=count).map(|number| NewUnit::new(&number).unwrap());
        let job = client.create_job(&NewJob::new("job", "handler"), units).unwrap().job;
        (dir, client, job)
    }

    fn matching(pattern: &str) -> UnitFilter {
        UnitFilter { pattern: Some(pattern.parse().unwrap()), ..UnitFilter::all() }
    }

    #[test]
    fn fault_237_a_change_whose_time_is_over_says_how_far_it_came_and_goes_on_from_there() {
        let (_dir, client, job) = numbers(7000);
        let (mut filter, mut changed, mut calls) = (matching("7$"), 0, 0);

        loop {
            let swept = client.skip_units_within(job, &filter, "no need", Some(Duration::ZERO)).unwrap();
            (changed, calls) = (changed + swept.changed, calls + 1);
            let Some(seq) = swept.searched_through else { break };
            assert_eq!(client.progress(job).unwrap().skipped, changed);
            filter = filter.after(seq);
        }

        assert_eq!((changed, calls), (700, 4));
        assert!(client.skip_units_within(job, &matching("x"), "no need", Some(Duration::ZERO)).is_ok());
        let none = client.skip_units(job, &matching("x"), "no need");
        assert!(matches!(none, Err(ClientError::NoUnitFits { .. })), "{none:?}");
    }

    #[test]
    fn fault_237_a_change_by_item_changes_all_that_fit_and_no_other() {
        let (_dir, client, job) = numbers(5000);

        assert_eq!(client.skip_units(job, &matching("^4[0-9]*0$"), "no need").unwrap(), 111);
        let both = UnitFilter { first: Some(Seq(100)), last: Some(Seq(4999)), ..matching("9$") };
        assert_eq!(client.skip_units(job, &both, "no need").unwrap(), 490);
        let retried = UnitFilter { statuses: vec![crate::model::UnitStatus::Skipped], ..matching("^4") };

        assert_eq!(client.retry_units(job, &retried).unwrap(), 111 + 110);
        assert_eq!(client.progress(job).unwrap().skipped, 111 + 490 - 221);
    }
}
