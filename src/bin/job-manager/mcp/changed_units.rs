//! Which units a change is about, by their numbers: as many as an answer has room for.
//!
//! Units that are looked for are noted before they are changed, and named only where the change was about so many: none is named that was
//! not changed, but for one that somebody else changed alike at the same time.

use std::time::Duration;

use job_manager::client::Client;
use job_manager::model::{JobId, Seq, Timestamp, UnitFilter, UnitStatus};
use serde_json::Value;

use super::ToolError;

/// Most units that an answer names.
const NAMED: usize = 20;
/// How long they are looked for.
const LOOKING: Duration = Duration::from_millis(100);

/// The first units of a change.
#[derive(Debug, Default)]
pub(super) struct ChangedUnits {
    first: Vec<Seq>,
}

impl ChangedUnits {
    /// Takes those that were changed.
    pub fn all(seqs: impl IntoIterator<Item = Seq>) -> Self {
        Self { first: seqs.into_iter().take(NAMED).collect() }
    }

    /// Looks for those that a change of units in these states is about; `by_name` are states that it is about where the filter names them.
    pub fn found(
        client: &Client,
        job: JobId,
        filter: &UnitFilter,
        states: &[UnitStatus],
        by_name: &[UnitStatus],
    ) -> Result<Self, ToolError> {
        let is_meant = |state: &UnitStatus| filter.statuses.is_empty() || filter.statuses.contains(state);
        let named = by_name.iter().filter(|state| filter.statuses.contains(state));
        let statuses: Vec<UnitStatus> = states.iter().filter(|state| is_meant(state)).chain(named).copied().collect();
        if statuses.is_empty() {
            return Ok(Self::default());
        }
        let filter = UnitFilter { statuses, current: Some(true), ..filter.clone() };
        let most = i64::try_from(NAMED).expect("they are few");
        let found = client.search_units(job, &filter, None, most, LOOKING)?;
        let now = Timestamp::now();
        // Pending ones change by a retry only if they wait for a later time.
        let is_changed = |status, not_before: Option<Timestamp>| {
            status != UnitStatus::Pending || states.contains(&status) || not_before.is_some_and(|at| at > now)
        };
        let changed = found.units.iter().filter(|unit| is_changed(unit.status, unit.not_before));
        Ok(Self { first: changed.map(|unit| unit.seq).collect() })
    }

    /// Returns the same as far as it is certain: none where the change was about fewer.
    pub fn of(self, changed: i64) -> Self {
        let is_certain = i64::try_from(self.first.len()).is_ok_and(|named| named <= changed);
        if is_certain { self } else { Self::default() }
    }

    /// Names them behind the sentence that says how many there are.
    pub fn words(&self, changed: i64) -> String {
        let mut numbers: Vec<String> = self.first.iter().map(ToString::to_string).collect();
        if numbers.is_empty() {
            return String::new();
        }
        let is_all = i64::try_from(numbers.len()).is_ok_and(|named| named == changed);
        if !is_all {
            numbers.push("…".to_owned());
        }
        format!(" ({})", numbers.join(", "))
    }

    /// Returns their numbers as an answer has them.
    pub fn numbers(&self) -> Value {
        self.first.iter().map(|seq| seq.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_named_or_the_first_and_none_of_which_it_is_not_certain() {
        let units = |count: i64| ChangedUnits::all((1..=count).map(Seq));

        assert_eq!(units(3).of(3).words(3), " (1, 2, 3)");
        assert_eq!(units(2).of(9).words(9), " (1, 2, …)");
        assert_eq!(units(3).of(2).words(2), "");
        assert_eq!(units(0).words(0), "");
        assert_eq!(units(50).numbers().as_array().map(Vec::len), Some(NAMED));
    }
}
