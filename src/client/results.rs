//! Reading what came of all units of a job, without holding a snapshot, or more than one of them, for long.

use std::time::Duration;

use super::ranges::Ranges;
use super::search::RANGE_UNITS;
use super::{Client, ClientError};
use crate::model::{JobId, Seq, UnitFilter, UnitResult, Unreadable};

/// Units that are read on one snapshot.
const PART_UNITS: i64 = 10_000;

impl Client {
    /// Gives what came of units after `after` to `take`, in order of their numbers, until that has enough or some thousands were
    /// read; returns the number after which the next call goes on, and none at the end. One that cannot be read is given as such.
    ///
    /// `take` is called inside of a read, so that it waits for nothing.
    pub fn each_result(
        &self,
        job: JobId,
        filter: &UnitFilter,
        after: Option<Seq>,
        take: &mut dyn FnMut(Result<UnitResult, Unreadable>) -> bool,
    ) -> Result<Option<Seq>, ClientError> {
        let filter = filter.after(after.unwrap_or(Seq(0)));
        let size = if filter.looks_at_each_unit() { RANGE_UNITS } else { PART_UNITS };
        let mut ranges = Ranges::of(&filter, self.store().progress(job)?.total, size, Duration::MAX);
        let Some(range) = ranges.next() else { return Ok(None) };
        match self.store().each_result(job, &range, take)? {
            Some(stopped) if range.last.is_none_or(|last| stopped < last) => Ok(Some(stopped)),
            _ => Ok(ranges.stopped_at()),
        }
    }
}
