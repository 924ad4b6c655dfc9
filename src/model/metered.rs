//! What is known of the cost of an attempt when it has ended.

use serde::{Deserialize, Serialize};

use super::{Amount, Meter};

/// What one meter says about an attempt that has ended, besides what was said while it ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metered {
    /// Name of the meter.
    pub name: String,
    /// What it cost; none where that is not known.
    pub amount: Option<Amount>,
}

impl Metered {
    /// Returns what is known of an attempt which nobody has heard of at its end: it may have cost something.
    pub fn unknown(meters: &[Meter]) -> Vec<Metered> {
        meters.iter().map(|meter| Metered { name: meter.name.clone(), amount: None }).collect()
    }

    /// Returns what the document that an attempt printed says about it; one that ended by itself has cost nothing where the
    /// number may be missing and is. What is there and is no amount is unknown.
    pub fn of_document(meters: &[Meter], document: Option<&str>, ended_by_itself: bool) -> Vec<Metered> {
        let of = |meter: &Meter| {
            let Some((path, document)) = meter.path.as_ref().zip(document) else {
                return (meter.may_lack && ended_by_itself).then_some(Amount::ZERO);
            };
            let may_lack = meter.may_lack && ended_by_itself;
            path.amount_in(document).or_else(|| (may_lack && path.is_missing_in(document)).then_some(Amount::ZERO))
        };
        meters.iter().map(|meter| Metered { name: meter.name.clone(), amount: of(meter) }).collect()
    }
}
