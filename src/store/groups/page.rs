//! What is read of a group at once.

use crate::model::Unit;

/// Units of a group, in their order.
#[derive(Debug, Default)]
pub struct GroupPage {
    pub units: Vec<Unit>,
    /// Whether there are no more.
    pub is_last: bool,
}
