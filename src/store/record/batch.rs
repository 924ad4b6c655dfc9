//! What a transaction of a manager records, and what it finds out.

use crate::model::{Amount, Groups, Heartbeat, Meter, ResourcesOfAll, Tally, UnitId, UnitNotes};
use crate::store::meters::Settled;
use crate::store::{UnitChange, UnitRange};

/// What one transaction records.
#[derive(Debug, Default)]
pub struct Batch<'a> {
    /// Changes of units, applied in order.
    pub changes: &'a [UnitChange],
    /// What handlers said about units under way, for the row with that revision.
    pub notes: &'a [(UnitId, i64, UnitNotes)],
    /// What handlers say that their units, under way, have spent.
    pub spends: &'a [(UnitId, Vec<(String, Amount)>)],
    /// What is counted of each attempt.
    pub meters: &'a [Meter],
    /// What bounds each group of the job's units.
    pub groups: Option<&'a Groups>,
    /// What may wait for its first attempt of the ranges that the manager has claimed; empty when that is not said.
    pub rests: &'a [UnitRange],
    /// Says that the manager lives.
    pub heartbeat: Option<&'a Heartbeat>,
    /// What attempts have taken of the machine, to be added to what is known of the job.
    pub resources: Option<&'a ResourcesOfAll>,
    /// What is counted of attempts, to be added to what is known of the database.
    pub tally: Option<&'a Tally>,
    /// Whether the changes are about units of a manager that is dead; those that belong to another one by now are left alone.
    pub is_late: bool,
}

/// What a transaction found out.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Units whose rows were not in the expected state and were left alone.
    pub lost: Vec<UnitId>,
    /// How many units of the job have failed since its latest start, where it may have several managers.
    pub failures: Option<u64>,
    /// What attempts have cost.
    pub settled: Settled,
    /// Groups of which no more units start until the job is started again, each with the reason.
    pub stopped_groups: Vec<(String, String)>,
}

impl<'a> Batch<'a> {
    /// Makes a batch of changes and nothing else.
    pub fn of(changes: &'a [UnitChange]) -> Self {
        Self { changes, ..Self::default() }
    }
}
