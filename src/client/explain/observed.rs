//! What is looked at for one unit.

use crate::model::{Cause, Group, UnitDetail};

/// The group of a unit.
#[derive(Debug, Clone)]
pub(super) struct ObservedGroup {
    pub group: Group,
    /// Units of it that run.
    pub running: i64,
}

/// What can be seen of a unit besides its job.
#[derive(Debug, Clone)]
pub(super) struct ObservedUnit {
    pub unit: UnitDetail,
    /// How its last attempt ended that did not complete.
    pub last_cause: Option<Cause>,
    /// Units that are to be taken before it.
    pub ahead: i64,
    /// What bounds its group, where it has one.
    pub group: Option<ObservedGroup>,
}
