//! Looking for units in a bounded time.
//!
//! A filter by item looks at every unit: a search by it reads a bounded range of numbers at a time.

use std::cmp::Reverse;
use std::time::Duration;

use super::ranges::Ranges;
use super::{Client, ClientError};
use crate::model::{FoundUnits, JobId, Seq, UnitDetail, UnitFilter, UnitOrder};

/// How long a face looks for units before it answers a program.
pub const SEARCH_TIME: Duration = Duration::from_millis(500);
/// Units that are looked at between two looks at the clock.
pub(super) const RANGE_UNITS: i64 = 2000;

/// The same where units are sorted, which are compared by their times.
const SORTED_UNITS: i64 = 50_000;
/// Bytes after which a page is cut, however few units it has.
const PAGE_BYTES: usize = 16 << 20;

impl Client {
    /// Returns up to `limit` units after `after` in order of their numbers, as many as are found within `budget`.
    pub fn search_units(
        &self,
        job: JobId,
        filter: &UnitFilter,
        after: Option<Seq>,
        limit: i64,
        budget: Duration,
    ) -> Result<FoundUnits, ClientError> {
        let filter = filter.after(after.unwrap_or(Seq(0)));
        let total = self.store().job(job)?.progress.total;
        let mut ranges = match filter.looks_at_each_unit() {
            true => Ranges::paced(&filter, total, RANGE_UNITS, budget),
            false => Ranges::of(&filter, total, i64::MAX, budget),
        };
        let (mut page, mut bytes) = (FoundUnits::default(), 0);
        for range in ranges.by_ref() {
            let left = limit - page.count();
            let found = self.store().unit_page(job, &range, None, left, PAGE_BYTES - bytes.min(PAGE_BYTES))?;
            bytes += found.units.iter().map(UnitDetail::bytes).sum::<usize>();
            page.append(found);
            if page.next_after.is_some() {
                return Ok(page);
            }
        }
        let reached = ranges.stopped_at();
        Ok(FoundUnits { next_after: reached, searched_through: reached, ..page })
    }

    /// Counts the units that a filter selects, and says how far they were looked at if `budget` was over before all were.
    pub fn count_units_within(
        &self,
        job: JobId,
        filter: &UnitFilter,
        budget: Duration,
    ) -> Result<(i64, Option<Seq>), ClientError> {
        if !filter.looks_at_each_unit() {
            return Ok((self.count_units(job, filter)?, None));
        }
        let mut ranges = Ranges::paced(filter, self.store().progress(job)?.total, RANGE_UNITS, budget);
        let counts = ranges.by_ref().map(|range| self.store().count_units(job, &range));
        let count = counts.sum::<Result<i64, _>>()?;
        Ok((count, ranges.stopped_at()))
    }

    /// Returns a page of units in another order than that of their numbers, and how far they were looked at if `budget` was over
    /// before all were: the page is of those then, and there is no next one.
    pub(super) fn search_sorted(
        &self,
        job: JobId,
        filter: &UnitFilter,
        order: UnitOrder,
        after: Option<Seq>,
        limit: i64,
        budget: Duration,
    ) -> Result<FoundUnits, ClientError> {
        let total = self.store().job(job)?.progress.total;
        if let Some(after) = after {
            self.unit(job, after)?;
        }
        let mut ranges = match filter.looks_at_each_unit() {
            true => Ranges::paced(filter, total, RANGE_UNITS, budget),
            false => Ranges::of(filter, total, SORTED_UNITS, budget),
        };
        let (mut page, mut is_cut) = (FoundUnits::default(), false);
        for range in ranges.by_ref() {
            page.append(self.store().sorted_units(job, &range, order, after, limit, PAGE_BYTES)?);
            page.units.sort_by_key(|unit| (Reverse(order.rank(unit)), unit.seq));
            page.units.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            is_cut = cut(&mut page.units);
        }
        let searched_through = ranges.stopped_at();
        let may_go_on = (is_cut || page.count() >= limit) && searched_through.is_none();
        let next_after = page.units.last().map(|unit| unit.seq).filter(|_| may_go_on);
        Ok(FoundUnits { next_after, searched_through, ..page })
    }
}

/// Cuts a page after so many bytes as a page may have, but for its first unit; returns `true` if there are so many.
///
/// What each part of the units added was cut in the same way, so that none is missing before the end.
fn cut(page: &mut Vec<UnitDetail>) -> bool {
    let mut held = 0;
    let fills = |unit: &UnitDetail| {
        held += unit.bytes();
        held >= PAGE_BYTES
    };
    let last = page.iter().position(fills);
    page.truncate(last.map_or(page.len(), |last| last + 1));
    last.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{NewJob, NewUnit, UnitStatus};

    /// Reads all pages, and returns the numbers of the units on each.
    fn numbers_of_pages(mut read: impl FnMut(Option<Seq>) -> (Vec<UnitDetail>, Option<Seq>)) -> Vec<Vec<i64>> {
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let (units, next) = read(after);
            pages.push(units.iter().map(|unit| unit.seq.0).collect());
            after = next;
            if after.is_none() {
                return pages;
            }
        }
    }

    #[test]
    fn fault_220_a_page_of_long_units_is_cut_and_the_next_one_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let client = Client::create(&dir.path().join("jobs.db")).unwrap();
        let units = (1..=5).map(|_| NewUnit {
            group: None,
            key: None,
            payload: format!("{:?}", "x".repeat(PAGE_BYTES * 2 / 5)),
        });
        let job = client.create_job(&NewJob::new("job", "handler"), units).unwrap().job;

        let pages = numbers_of_pages(|after| {
            let found = client.search_units(job, &UnitFilter::all(), after, 100, SEARCH_TIME).unwrap();
            (found.units, found.next_after)
        });

        assert_eq!(pages, [vec![1, 2, 3], vec![4, 5]]);
    }

    #[test]
    fn fault_271_a_sorted_page_of_long_units_is_cut_and_the_next_one_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let client = Client::create(&dir.path().join("jobs.db")).unwrap();
        let units = (1..=5).map(|_| NewUnit {
            group: None,
            key: None,
            payload: format!("{:?}", "x".repeat(PAGE_BYTES * 2 / 5)),
        });
        let job = client.create_job(&NewJob::new("job", "handler"), units).unwrap().job;

        let pages = numbers_of_pages(|after| {
            let page =
                client.unit_page(job, &UnitFilter::all(), UnitOrder::Attempts, after, 100, Duration::MAX).unwrap();
            (page.found.units, page.found.next_after)
        });

        assert_eq!(pages, [vec![1, 2, 3], vec![4, 5]]);
    }

    #[test]
    fn fault_271_all_that_a_search_found_counts_for_the_size_of_its_page() {
        let dir = tempfile::tempdir().unwrap();
        let client = Client::create(&dir.path().join("jobs.db")).unwrap();
        let units = (1..=8001).map(|number| NewUnit::new(&number).unwrap());
        let job = client.create_job(&NewJob::new("job", "handler"), units).unwrap().job;
        let long = "x".repeat(PAGE_BYTES * 2 / 5);
        for seq in [1, 2001, 4001, 6001, 8001] {
            client.skip_units(job, &UnitFilter::one(Seq(seq)), &long).unwrap();
        }
        let filter = UnitFilter {
            pattern: Some("^[2468]*0*1$".parse().unwrap()),
            ..UnitFilter::with_status(UnitStatus::Skipped)
        };

        let first = client.search_units(job, &filter, None, 100, Duration::MAX).unwrap();
        let second = client.search_units(job, &filter, first.next_after, 100, Duration::MAX).unwrap();

        let numbers = |found: FoundUnits| found.units.iter().map(|unit| unit.seq.0).collect::<Vec<_>>();
        assert_eq!([numbers(first), numbers(second)], [vec![1, 2001, 4001], vec![6001, 8001]]);
    }

    #[test]
    fn fault_190_a_search_whose_time_is_over_says_how_far_it_came_and_goes_on_from_there() {
        let dir = tempfile::tempdir().unwrap();
        let client = Client::create(&dir.path().join("jobs.db")).unwrap();
        let units = (1..=4500).map(|number| NewUnit { group: None, key: None, payload: number.to_string() });
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

    #[test]
    fn fault_237_a_count_whose_time_is_over_says_how_far_it_came() {
        let dir = tempfile::tempdir().unwrap();
        let client = Client::create(&dir.path().join("jobs.db")).unwrap();
        let units = (1..=4500).map(|number| NewUnit::new(&number).unwrap());
        let job = client.create_job(&NewJob::new("job", "handler"), units).unwrap().job;
        let filter = UnitFilter { pattern: Some("9$".parse().unwrap()), ..UnitFilter::all() };

        assert_eq!(client.count_units_within(job, &filter, Duration::MAX).unwrap(), (450, None));
        assert_eq!(client.count_units_within(job, &filter, Duration::ZERO).unwrap(), (200, Some(Seq(2000))));
        assert_eq!(client.count_units_within(job, &UnitFilter::all(), Duration::ZERO).unwrap(), (4500, None));
    }

    #[test]
    fn fault_237_a_sorted_page_whose_time_is_over_says_of_which_units_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let client = Client::create(&dir.path().join("jobs.db")).unwrap();
        let units = (1..=4500).map(|number| NewUnit::new(&number).unwrap());
        let job = client.create_job(&NewJob::new("job", "handler"), units).unwrap().job;
        let filter = UnitFilter { pattern: Some("9$".parse().unwrap()), ..UnitFilter::all() };
        let page = |budget| client.search_sorted(job, &filter, UnitOrder::Finished, None, 3, budget).unwrap();
        let numbers = |units: &[UnitDetail]| units.iter().map(|unit| unit.seq.0).collect::<Vec<_>>();
        let late = UnitFilter { first: Some(Seq(4489)), last: Some(Seq(4499)), ..UnitFilter::all() };
        client.skip_units(job, &late, "no need").unwrap();

        let all = page(Duration::MAX);
        assert_eq!((numbers(&all.units), all.searched_through), (vec![4489, 4499, 9], None));
        let some = page(Duration::ZERO);
        assert_eq!((numbers(&some.units), some.searched_through), (vec![9, 19, 29], Some(Seq(2000))));
        let after = client.search_sorted(job, &filter, UnitOrder::Finished, Some(Seq(4499)), 2, Duration::MAX).unwrap();
        assert_eq!(numbers(&after.units), [9, 19]);
    }
}
