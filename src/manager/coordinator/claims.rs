//! What a manager knows of ranges since it last looked: whether there are some to claim, and whether it or others have some.

use crate::model::Timestamp;
use crate::store::Work;

/// What is known of ranges.
#[derive(Debug)]
pub(super) struct Claims {
    is_claimable: bool,
    others_have_units: bool,
    /// Whether it may have ranges whose units have all ended.
    has_ranges: bool,
    /// When another manager may be lost, unless it renews its lease.
    next_lease_end: Option<Timestamp>,
}

impl Claims {
    /// Begins with what is worth a try.
    pub fn new() -> Claims {
        Claims { is_claimable: true, others_have_units: false, has_ranges: false, next_lease_end: None }
    }

    /// Takes up what a look has found.
    pub fn learn(&mut self, work: &Work) {
        (self.is_claimable, self.others_have_units) = (work.is_claimable, work.others_have_units);
        self.next_lease_end = work.next_lease_end;
    }

    /// Returns `true` if the lease of another manager has ended since the latest look, unless it was renewed.
    pub fn may_have_lost(&self, now: Timestamp) -> bool {
        self.next_lease_end.is_some_and(|end| end < now)
    }

    /// Returns `true` if a claim is worth a try with so many units in hand: it lets those ranges go of which nothing is left, and
    /// others wait for that.
    pub fn is_worth_a_try(&self, in_hand: usize) -> bool {
        self.is_claimable || (self.has_ranges && in_hand == 0)
    }

    /// Notes that there was a range, or units that came back.
    pub fn got_some(&mut self) {
        self.has_ranges = true;
    }

    /// Notes that there was nothing to claim, with so many units in hand, until a look finds something.
    pub fn got_none(&mut self, in_hand: usize) {
        self.is_claimable = false;
        // Those with a unit in hand were kept.
        self.has_ranges &= in_hand > 0;
    }

    /// Notes that others have units, which stands until the next look.
    pub fn others_have_some(&mut self) {
        self.others_have_units = true;
    }

    /// Returns `true` if others had units at the latest look.
    pub fn do_others_have_units(&self) -> bool {
        self.others_have_units
    }
}
