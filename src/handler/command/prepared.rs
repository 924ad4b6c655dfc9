//! What one attempt needs.

use std::path::PathBuf;

use crate::model::Unit;
use crate::sys::UnitCommand;

/// A command that is ready to start, and what it reads.
pub(super) struct Prepared {
    pub command: UnitCommand,
    pub stdin: Vec<u8>,
    /// Path that the unit makes, if units of this job make one.
    pub made: Option<PathBuf>,
    /// Path at which the attempt makes that, if it is another one.
    pub out: Option<PathBuf>,
    /// What looks at what the command has made, if something does.
    pub check: Option<UnitCommand>,
}

/// Returns `true` if a unit is the one that a job ends with.
pub(super) fn is_last(unit: &Unit) -> bool {
    unit.is_last()
}
