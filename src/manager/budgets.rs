//! What the job has spent as far as its manager knows, and what follows for the feed.
//!
//! The recorder learns it with each commit that ends attempts, before these make room for others; the coordinator looks at it when
//! somebody else has written. Other managers of the job are seen in what they have spent and how many units they run: what they
//! start between two looks is not.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::feed::{Feed, MeterRate};
use crate::model::{Meter, Metered, Spending, UnitId, spending_of};
use crate::store::Settled;

/// What was spent, and what nobody could count.
#[derive(Default)]
pub(super) struct Budgets(Mutex<Seen>);

/// What is known of the other managers of a job.
#[derive(Debug, Clone, Copy)]
pub(super) struct Others {
    /// Units that they run.
    pub running: usize,
    /// Managers that have units, this one included.
    pub managers: usize,
    /// Most attempts that this one may have under a budget, those included that have ended and whose cost is not committed.
    pub own: usize,
}

impl Default for Others {
    fn default() -> Self {
        Others { running: 0, managers: 0, own: usize::MAX }
    }
}

#[derive(Default)]
struct Seen {
    spending: Vec<Spending>,
    others: Others,
    /// Whether a manager before this one may have spent something a moment ago.
    goes_on: bool,
    uncounted: Option<(UnitId, String)>,
    /// Units whose attempt has ended at a cost that a budget depends on and that is not known before the commit.
    doubted: HashSet<UnitId>,
}

impl Budgets {
    /// Lets no attempt start until the end of this one is committed, if nobody may know what it has cost: a budget that cannot count is to
    /// stop at once, and units can be much quicker than commits.
    pub fn doubt(&self, feed: &Feed, meters: &[Meter], unit: UnitId, metered: &[Metered]) {
        let is_bounded = |name: &str| meters.iter().any(|meter| meter.name == name && meter.is_bounded());
        if metered.iter().any(|of| of.amount.is_none() && is_bounded(&of.name)) {
            let mut seen = self.lock();
            seen.doubted.insert(unit);
            seen.admit(feed, meters);
            drop(seen);
            feed.hurry();
        }
    }

    /// Takes note of what a commit has counted, in which attempts at those units have ended.
    pub fn learn(&self, feed: &Feed, meters: &[Meter], settled: &Settled, ended: impl Iterator<Item = UnitId>) {
        if meters.is_empty() {
            return;
        }
        let mut seen = self.lock();
        let doubts = seen.doubted.len();
        if doubts > 0 {
            ended.for_each(|unit| {
                seen.doubted.remove(&unit);
            });
        }
        if settled.spending.is_empty() && seen.doubted.len() == doubts {
            return;
        }
        if seen.uncounted.is_none() {
            seen.uncounted = settled.uncounted.first().cloned();
        }
        seen.merge(&settled.spending);
        seen.admit(feed, meters);
    }

    /// Takes note of what was read: what the job has spent, and what its other managers do.
    pub fn look(&self, feed: &Feed, meters: &[Meter], spending: &[Spending], others: Others) {
        let mut seen = self.lock();
        seen.others = others;
        seen.merge(spending);
        seen.admit(feed, meters);
    }

    /// Forgets what was seen of a job that counts nothing any more.
    pub fn forget(&self, feed: &Feed) {
        let mut seen = self.lock();
        *seen = Seen { goes_on: seen.goes_on, ..Seen::default() };
        seen.admit(feed, &[]);
    }

    /// Says that managers before this one may have spent something a moment ago.
    pub fn go_on(&self) {
        self.lock().goes_on = true;
    }

    /// Returns a unit that has completed, and the meter of a budget that could not count it.
    pub fn uncounted(&self) -> Option<(UnitId, String)> {
        self.lock().uncounted.clone()
    }

    /// Returns the meters whose budgets let no attempt start, with what they have counted.
    pub fn exhausted<'a>(&self, meters: &'a [Meter]) -> Vec<(&'a Meter, Spending)> {
        let seen = self.lock();
        let of = |meter: &'a Meter| (meter, seen.of(meter));
        meters.iter().map(of).filter(|(meter, spending)| spending.most_under_way(meter) == 0).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        // No code between lock and unlock can leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// Takes what is newer: sums only grow, and what was read may be older than what a commit has told since.
    fn merge(&mut self, spending: &[Spending]) {
        for new in spending {
            match self.spending.iter_mut().find(|known| known.name == new.name) {
                Some(known) if new.spent >= known.spent && new.day_start >= known.day_start => *known = new.clone(),
                Some(_) => {}
                None => self.spending.push(new.clone()),
            }
        }
    }

    fn of(&self, meter: &Meter) -> Spending {
        spending_of(&self.spending, meter).cloned().unwrap_or_else(|| Spending::none(&meter.name))
    }

    fn admit(&self, feed: &Feed, meters: &[Meter]) {
        let most = meters.iter().map(|meter| self.of(meter).most_under_way(meter)).min();
        let most = most
            .filter(|most| *most != usize::MAX)
            .map(|most| most.saturating_sub(self.others.running).min(self.others.own));
        // The job is about to pause, or may be.
        let most = if self.uncounted.is_some() || !self.doubted.is_empty() { Some(0) } else { most };
        let rate = |meter: &Meter| {
            let spending = self.of(meter);
            Some(MeterRate {
                name: meter.name.clone(),
                rate: meter.rate?,
                managers: self.others.managers,
                usual: spending.reservation(meter).unwrap_or_default(),
                spent: spending.spent,
                is_new: !self.goes_on,
            })
        };
        feed.admit(most, &meters.iter().filter_map(rate).collect::<Vec<_>>());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Amount, Budget, JobId, Seq, Unit};
    use crate::store::UnitRange;

    #[test]
    fn what_was_read_before_a_commit_does_not_hide_what_that_has_counted() {
        let amount = |text: &str| text.parse::<Amount>().unwrap();
        let usd = Meter { budget: Some(Budget { amount: amount("5"), day_zone: None }), ..Meter::new("usd") };
        let spent = |text: &str| Spending { spent: amount(text), ..Spending::none("usd") };
        let (budgets, feed, meters) = (Budgets::default(), Feed::new(), [usd]);

        let settled = Settled { spending: vec![spent("5")], uncounted: Vec::new() };
        budgets.learn(&feed, &meters, &settled, std::iter::empty());
        budgets.look(&feed, &meters, &[spent("4")], Others::default());

        assert_eq!(budgets.exhausted(&meters).len(), 1);
    }

    #[test]
    fn nothing_starts_between_an_end_of_unknown_cost_and_its_commit() {
        let budget = Some(Budget { amount: "5".parse().unwrap(), day_zone: None });
        let meters = [Meter { budget, reserve: "1".parse().ok(), ..Meter::new("usd") }, Meter::new("tokens")];
        let (budgets, feed, unit) = (Budgets::default(), Feed::new(), Unit::pending(JobId(1), 1));
        let of = |name: &str, amount| Metered { name: name.to_owned(), amount };
        feed.add(UnitRange { after: Seq(0), through: Seq::MAX });
        feed.put_fresh(feed.next_range().unwrap(), vec![unit.clone()], true);

        let known = [of("usd", Some(Amount::ZERO)), of("tokens", None)];
        budgets.doubt(&feed, &meters, unit.id, &known);
        assert!(feed.has_room());
        budgets.doubt(&feed, &meters, unit.id, &[of("usd", None)]);
        assert!(!feed.has_room());
        budgets.learn(&feed, &meters, &Settled::default(), std::iter::once(unit.id));
        assert!(feed.has_room());
    }
}
