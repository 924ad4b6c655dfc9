//! Reading what came of all units of a job, without holding a snapshot, or more than one of them, for long.

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
        let total = self.store().progress(job)?.total;
        let end = filter.last.map_or(total, |last| last.0.min(total));
        let first = filter.first.unwrap_or(Seq::FIRST);
        if first.0 > end {
            return Ok(None);
        }
        let part = if filter.looks_at_each_unit() { RANGE_UNITS } else { PART_UNITS };
        let through = Seq(first.0.saturating_add(part - 1).min(end));
        let stopped = self.store().each_result(job, &UnitFilter { last: Some(through), ..filter }, take)?;
        Ok(Some(stopped.unwrap_or(through)).filter(|seq| seq.0 < end))
    }
}
