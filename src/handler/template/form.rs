//! How a payload holds what its unit is about: one item, the parts of a combination, or several items.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// How the payloads of a job hold their items; kept with its command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemForm {
    /// An item is an array of parts, one of each list, and `{}` stands for all of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_combination: bool,
    /// A payload is an array of items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub several: Option<Several>,
}

/// How many items a unit has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Several {
    /// At most so many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<NonZeroU32>,
    /// As many as the system takes in one command.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub as_fit: bool,
}

impl ItemForm {
    /// Returns `true` if `{}` stands for one text.
    pub fn is_one_item(&self) -> bool {
        *self == Self::default()
    }
}
