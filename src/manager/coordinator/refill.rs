//! Which units come next: those that are due again, and those of the ranges that are claimed.

use std::time::Instant;

use tracing::warn;

use super::{Coordinator, LOOK_FOR_DUE};
use crate::manager::error::ManagerError;
use crate::manager::feed::FEED_UNITS;
use crate::model::{Reach, Timestamp, Unit, UnitStatus, counted};
use crate::recovery::policy;
use crate::store::{Batch, Claim, PageBound, UnitChange, UnitRange};

impl Coordinator<'_> {
    /// Tops the feed up and returns when the next unit that came back is due, if it had room for all that are.
    pub(super) fn refill(&mut self) -> Result<Option<Timestamp>, ManagerError> {
        if let Some(until) = self.shared.held_until().max(self.starts_at) {
            // What had been read was given back, and a hold may begin while this reads.
            self.shared.feed.recall();
            return Ok(Some(until));
        }
        if self.job.limits.groups.is_some() {
            return self.refill_groups();
        }
        let level = self.shared.feed.level();
        let reach = self.reach();
        // Of a sample each manager takes what its workers have to do, and leaves the rest to others.
        let shares_sample = matches!(reach, Reach::Chosen(_)) && self.store.has_several_managers();
        let most_due = shares_sample.then_some(self.job.limits.workers.max(1));
        // Those that are due go before the fresh ones that are queued, and are looked for although there are many of these.
        let has_room = level.is_low_of_due()
            && (level.is_low_of_fresh() || self.due_looked_at.elapsed() >= LOOK_FOR_DUE)
            && most_due.is_none_or(|most| level.in_hand < most);
        let now = self.shared.clock.now();
        let looks_for_due = has_room && self.may_be_due(now);
        let fresh = if level.is_low_of_fresh() { self.next_range()? } else { None };
        if !looks_for_due && fresh.is_none() {
            return Ok(self.next_due.filter(|_| has_room));
        }
        self.shared.feed.begin_reading(looks_for_due);
        let mut are_all_read = false;
        if looks_for_due {
            self.due_looked_at = Instant::now();
            // Rows of units in hand may still say that they are due: the page is wide enough to see beyond them.
            let units = most_due.unwrap_or(FEED_UNITS) + level.in_hand;
            let wide = PageBound { units, bytes: level.room_bytes() };
            let due = self.store.due_units(self.lease, now, reach.clone(), wide)?;
            are_all_read = due.is_last;
            if !due.units.is_empty() {
                self.claims.got_some();
            }
            self.shared.feed.put_due(self.with_slots(due.units));
        }
        if let Some(range) = fresh {
            let bound = PageBound { units: FEED_UNITS, bytes: self.shared.feed.level().room_bytes() };
            let through = range.through.min(reach.last_fresh());
            let page = self.store.fresh_units(self.lease.job(), range.after, through, bound)?;
            self.shared.feed.put_fresh(range, self.with_slots(page.units), page.is_last);
        }
        if are_all_read {
            self.next_due = self.store.next_due(self.lease, reach)?;
        } else if looks_for_due || !self.store.has_several_managers() {
            self.next_due = None;
        }
        Ok(self.next_due)
    }

    /// Returns `true` if units that are due are worth a look. In a file that costs next to nothing; on a server one is due by the
    /// latest look, or this manager has sent one back since.
    fn may_be_due(&mut self, now: Timestamp) -> bool {
        !self.store.has_several_managers()
            || self.next_due.is_some_and(|due| due <= now)
            || self.shared.feed.has_sent_back()
    }

    /// Returns what is to be read next for first attempts: of a range that is there, or of one that is claimed now.
    fn next_range(&mut self) -> Result<Option<UnitRange>, ManagerError> {
        let (in_hand, workers) = (self.shared.feed.level().in_hand, self.job.limits.workers);
        if self.is_range_due(in_hand) {
            let units = self.range_size.next(in_hand, workers);
            let asked = Instant::now();
            let claim = self.store.claim(self.lease, units, self.reach())?;
            self.range_size.took(asked.elapsed());
            match claim {
                Some(Claim { range, unfinished, begun }) => {
                    self.claims.got_some();
                    self.range_size.found(unfinished, workers);
                    self.recover(&begun)?;
                    self.shared.feed.add(range);
                }
                None => self.claims.got_none(in_hand),
            }
        }
        Ok(self.shared.feed.next_range())
    }

    /// Returns `true` if a range is to be claimed when so many units are in hand.
    pub(super) fn is_range_due(&self, in_hand: usize) -> bool {
        self.job.limits.groups.is_none()
            && self.claims.is_worth_a_try(in_hand)
            && self.shared.feed.needs_range()
            && self.range_size.is_due(in_hand, self.job.limits.workers)
    }

    /// Sends back the units of a claimed range that a manager on another host had begun; its processes are gone with it.
    pub(super) fn recover(&mut self, begun: &[Unit]) -> Result<(), ManagerError> {
        let (now, limits) = (self.shared.clock.now(), &self.job.limits);
        if begun.is_empty() {
            return Ok(());
        }
        let crashed = |unit| policy::crashed(unit, UnitStatus::Running, true, limits, self.lease.epoch(), now);
        let changes: Vec<UnitChange> = begun.iter().map(crashed).collect();
        warn!("{} of a manager that is gone: to be tried again", counted(begun.len(), "unit"));
        // They are due at once: no look is waited for.
        self.next_due = Some(Timestamp::from_micros(0));
        self.store.record(
            self.lease,
            &Batch { meters: &self.job.limits.meters, groups: self.job.limits.groups.as_ref(), ..Batch::of(&changes) },
        )?;
        Ok(())
    }
}
