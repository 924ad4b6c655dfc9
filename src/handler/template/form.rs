//! How a payload holds what its unit is about: one item, the parts of a combination, or several items.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::{TemplateError, UnitValues};

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

/// What the payload of a unit of several texts is made of.
#[derive(Debug)]
pub(super) struct Members<'a> {
    /// The items of the unit; none when it has a single one, whose parts are elements of the payload.
    pub items: Vec<UnitValues<'a>>,
    /// What `{}` stands for, one after the other; none when these are the items.
    parts: Vec<UnitValues<'a>>,
    pub is_combination: bool,
    /// Whether so many items were asked for, and not as many as fit.
    pub is_counted: bool,
    /// How many items a unit has at most; the last one may have fewer.
    pub at_most: Option<NonZeroU32>,
}

impl<'a> Members<'a> {
    /// Reads the elements of a payload.
    ///
    /// # Errors
    /// When it is not an array where one is expected, or an empty one.
    pub fn of(payload: &UnitValues<'a>, form: ItemForm) -> Result<Members<'a>, TemplateError> {
        let elements = payload.elements()?;
        let (items, parts) = match (form.several, form.is_combination) {
            (None, _) => (Vec::new(), elements),
            (Some(_), false) => (elements, Vec::new()),
            (Some(_), true) => {
                let parts = elements.iter().map(UnitValues::elements).collect::<Result<Vec<_>, _>>()?;
                (elements, parts.into_iter().flatten().collect())
            }
        };
        let is_counted = form.several.is_none_or(|several| !several.as_fit);
        let at_most = form.several.and_then(|several| several.at_most);
        Ok(Members { items, parts, is_combination: form.is_combination, is_counted, at_most })
    }

    /// Returns the number of items if that item is missing and other units of the job have it.
    pub fn number_without(&self, position: usize) -> Option<usize> {
        let most = self.at_most.and_then(|most| usize::try_from(most.get()).ok())?;
        let number = self.items.len();
        (self.is_counted && !self.is_combination && number < position && position <= most).then_some(number)
    }

    /// Returns what `{}` stands for, one after the other.
    pub fn texts(&self) -> &[UnitValues<'a>] {
        if self.is_combination { &self.parts } else { &self.items }
    }
}
