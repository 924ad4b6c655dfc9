//! What is known of a command that ended well, for whoever looks at what it has made.

use std::path::Path;
use std::time::Instant;

use super::given::Given;
use super::whole::ResultError;
use crate::handler::Attempt;
use crate::model::Resources;
use crate::sys::{Cookie, SlotFile, UnitCommand};

/// A command that ended well.
pub(super) struct EndedWell<'e, 'd> {
    pub attempt: &'e Attempt<'e>,
    pub began: Instant,
    /// What it was to make, and where until that is whole, if it is another place.
    pub made: Option<(&'e Path, Option<&'e Path>)>,
    /// What it said, where that is its result.
    pub result: Option<Result<String, ResultError>>,
    pub check: Option<UnitCommand>,
    pub given: &'e Given<'d>,
    pub slot: &'e SlotFile,
    pub own: Cookie<'e>,
    /// What it took, to which its check is added.
    pub took: &'e mut Resources,
}
