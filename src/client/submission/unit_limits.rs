//! Limits that units have of their own are looked at with each item, before anything is created.

use crate::handler::{UnitLimitError, check_templates, check_unit};
use crate::model::{Limits, Slots};
use crate::source::{Items, SourceError};

/// Returns the items, each of which gives the limits that its unit has of its own; with `workers` a unit that takes more of them than
/// that is refused.
pub(super) fn with_unit_limits(items: Items, limits: &Limits, workers: Option<usize>) -> Result<Items, UnitLimitError> {
    check_templates(limits)?;
    if let (Slots::Each(slots), Some(workers)) = (&limits.slots, workers)
        && *slots > workers
    {
        return Err(UnitLimitError::TooManySlots { slots: *slots, workers });
    }
    if limits.timeout_from.is_none() && matches!(limits.slots, Slots::Each(_)) {
        return Ok(items);
    }
    let limits = limits.clone();
    Ok(Box::new(items.map(move |item| {
        let item = item?;
        match check_unit(&limits, &item.payload, workers) {
            Ok(()) => Ok(item),
            Err(error) => Err(SourceError::Unfit { place: item.place, source: error.into() }),
        }
    })))
}
