//! Units of groups: which are read next, and what becomes of the job when only those of held groups are left.
//!
//! On a server one manager of a job runs them, the one that began first: what bounds each group is then counted in one place. Others
//! wait until it is gone.

use std::time::{Duration, Instant};

use super::{Coordinator, LOOK_FOR_DUE};
use crate::manager::error::ManagerError;
use crate::manager::feed::FEED_UNITS;
use crate::manager::halt::{self, Halt};
use crate::model::{Epoch, Groups, Reach, Seq, Timestamp, Unit, Waits, counted, span};
use crate::store::PageBound;

/// Time between two writes of how far groups have been read: it saves reading at the next start.
const KEEP_MARKS: Duration = Duration::from_secs(5);
/// Time between two looks whether the manager is gone that runs them.
const STAND_BY: Duration = Duration::from_secs(2);
/// The share of the time that may be spent on looking for units that are due.
const LOOKING: u32 = 10;
/// Units that a range has where one manager has all of them.
const ALL: i64 = Seq::MAX.0;

impl Coordinator<'_> {
    /// Reads the groups when something may have changed about them.
    pub(super) fn know_groups(&mut self) -> Result<(), ManagerError> {
        let Some(limits) = self.job.limits.groups.clone().filter(|_| !self.groups.are_known) else { return Ok(()) };
        let job = self.lease.job();
        // Before the groups, of which there may be more by then. What is out of reach is not read, and somebody has to look at it.
        let known_through = Seq(self.store.job(job)?.progress.total).min(self.reach().last_fresh());
        let floor = if self.store.has_several_managers() { Seq(0) } else { self.store.claimed_through(job)? };
        let groups = self.store.groups(job)?;
        let feed = &self.shared.feed;
        let first_start = Instant::now() + self.first_interval(&limits);
        feed.know_groups(&limits, groups, known_through, floor, first_start);
        self.shared.adaptation.know_groups(feed);
        self.groups.are_known = true;
        self.groups.is_last_expected = false;
        Ok(())
    }

    /// Returns how long groups wait for their first start: not at once after an interruption, or a job that is resumed again and again
    /// would exceed their rate.
    fn first_interval(&self, limits: &Groups) -> Duration {
        let is_first = self.lease.epoch() == Epoch(1) || self.shared.feed.has_groups();
        limits.rate.filter(|_| !is_first).map_or(Duration::ZERO, |rate| rate.interval())
    }

    /// Tops the feed up and returns when the next unit that came back is due, or the next group goes on that is held until a time.
    pub(super) fn refill_groups(&mut self) -> Result<Option<Timestamp>, ManagerError> {
        self.claim_all()?;
        if self.finalizer_added && !std::mem::replace(&mut self.groups.is_last_expected, true) {
            self.shared.feed.expect_ungrouped();
        }
        let now = self.shared.clock.now();
        let held_until = self.shared.feed.follow_holds(now);
        let reach = self.reach();
        let wanted = self.shared.feed.wanted();
        let looks_for_due = self.looks_for_due(now, wanted.is_empty());
        if !wanted.is_empty() || looks_for_due {
            self.shared.feed.begin_reading(looks_for_due);
        }
        if looks_for_due {
            self.look_for_due(now, &reach)?;
        }
        if !wanted.is_empty() {
            let asked: Vec<_> = wanted.iter().map(|read| (read.group.as_deref(), read.after, read.units)).collect();
            let bytes = self.shared.feed.level().room_bytes();
            let pages = self.store.fresh_of_groups(self.lease, &asked, reach.last_fresh(), bytes)?;
            for (read, page) in wanted.iter().zip(pages) {
                self.shared.feed.put_of_lane(read, self.with_slots(page.units), page.is_last);
            }
        }
        self.keep_marks(KEEP_MARKS)?;
        Ok(self.next_due.into_iter().chain(held_until).min())
    }

    /// Returns `true` if units that came back are worth a look, with nothing else to be read.
    fn looks_for_due(&self, now: Timestamp, is_all_read: bool) -> bool {
        let level = self.shared.feed.level();
        let since = self.due_looked_at.elapsed();
        // Nothing is left but what is due, if anything.
        let is_last_look = level.in_hand == 0 && is_all_read;
        let is_time = since >= LOOK_FOR_DUE.max(self.groups.looked_for * LOOKING);
        let is_due = self.next_due.is_some_and(|due| due <= now) && since >= self.groups.looked_for * LOOKING;
        self.shared.feed.has_room_for_due() && (is_last_look || is_time || is_due)
    }

    fn look_for_due(&mut self, now: Timestamp, reach: &Reach) -> Result<(), ManagerError> {
        let began = Instant::now();
        let level = self.shared.feed.level();
        // Rows of units in hand may still say that they are due: the page is wide enough to see beyond them.
        let wide = PageBound { units: FEED_UNITS + level.in_hand, bytes: level.room_bytes() };
        let but = self.shared.feed.sated();
        let due = self.store.due_of_groups(self.lease, now, reach, wide, &but)?;
        if !due.is_empty() {
            self.claims.got_some();
        }
        let with_slots =
            |(unit, group): (Unit, Option<String>)| (self.with_slots(vec![unit]).pop().expect("one for each"), group);
        let due: Vec<_> = due.into_iter().map(with_slots).collect();
        self.shared.feed.put_due_of_groups(due);
        self.next_due = self.store.next_due_after(self.lease, now, reach)?;
        self.due_looked_at = Instant::now();
        self.groups.looked_for = began.elapsed();
        Ok(())
    }

    /// Looks, now and then, whether the manager is gone that runs the units of groups in place of this one.
    pub(super) fn stand_by(&mut self) -> Result<(), ManagerError> {
        let is_new = self.groups.stood_by_at.is_some_and(|at| at.elapsed() < STAND_BY);
        if self.job.limits.groups.is_none() || is_new || !self.store.has_several_managers() {
            return Ok(());
        }
        self.groups.stood_by_at = Some(Instant::now());
        Ok(self.store.lose_silent(self.lease)?)
    }

    /// Claims all that is to be had, on a server: one manager runs the units of groups.
    fn claim_all(&mut self) -> Result<(), ManagerError> {
        if !self.store.has_several_managers() {
            return Ok(());
        }
        while self.claims.is_worth_a_try(self.shared.feed.level().in_hand) {
            let Some(claim) = self.store.claim(self.lease, ALL, self.reach())? else {
                self.claims.got_none(self.shared.feed.level().in_hand);
                break;
            };
            self.recover(&claim.begun)?;
            self.claims.got_some();
            self.shared.feed.add_to_lanes(claim.range);
        }
        Ok(())
    }

    /// Keeps how far groups have been read, unless that was done a moment ago. On a server the ranges tell.
    pub(super) fn keep_marks(&mut self, every: Duration) -> Result<(), ManagerError> {
        let is_new = self.groups.marked_at.is_some_and(|at| at.elapsed() < every);
        if self.job.limits.groups.is_none() || is_new || self.store.has_several_managers() {
            return Ok(());
        }
        let is_first = self.groups.marked_at.replace(Instant::now()).is_none() && !every.is_zero();
        let marks = if is_first { Vec::new() } else { self.shared.feed.read_marks() };
        if !marks.is_empty() {
            self.store.keep_marks(self.lease, &marks)?;
        }
        Ok(())
    }

    /// Returns the halt of a job of which only units of groups are left that are not to go on.
    pub(super) fn only_stopped_groups(&mut self) -> Result<Option<Halt>, ManagerError> {
        let stopped = self.shared.feed.stopped_groups();
        if self.job.limits.groups.is_none() || stopped.is_empty() {
            return Ok(None);
        }
        let has_left = self.store.job(self.lease.job())?.progress.unfinished() > 0;
        Ok(halt::stopped_groups(&stopped).filter(|_| has_left))
    }

    /// Returns what all units that are left wait for because of their groups.
    pub(super) fn waits_for_group(&self) -> Option<Waits> {
        let limits = self.job.limits.groups.as_ref()?;
        if let Some(wait) = self.shared.feed.waits_for_group_rate() {
            let rate = limits.rate?;
            let rate = format!("{}/{}", rate.units, span(Duration::from_millis(rate.per_ms)));
            return Some(Waits::GroupRate { rate, until: self.shared.clock.now() + wait });
        }
        let (held, until) = self.shared.feed.held_groups()?;
        Some(Waits::GroupHold { said: format!("{} held", counted(held, "group")), until })
    }
}
