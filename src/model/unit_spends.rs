//! What a unit has cost.

use serde::{Serialize, Serializer};

use super::Amount;

/// What a unit has cost by each meter of its job, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitSpends(pub Vec<(String, Amount)>);

impl UnitSpends {
    /// Returns `true` if its job has no meter.
    pub fn are_none(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for UnitSpends {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, amount)| (name, amount)))
    }
}
