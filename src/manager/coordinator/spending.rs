//! What the job may spend: whether units start, wait for the next day, or the job pauses.

use super::Coordinator;
use super::over_budget::OverBudget;
use crate::manager::budgets::Others;
use crate::manager::error::ManagerError;
use crate::manager::halt::{self, Halt};
use crate::model::{Epoch, Meter, Timestamp, Waits, day_of};
use crate::sys::zone_of;

impl Coordinator<'_> {
    /// Looks at what the job has spent, and begins the day of budgets by the day.
    pub(super) fn look_at_spending(&mut self) -> Result<(), ManagerError> {
        let meters = &self.job.limits.meters;
        if meters.is_empty() {
            return Ok(());
        }
        let (job, now) = (self.lease.job(), self.shared.clock.now());
        let mut spending = self.store.spending(job)?;
        let (mut starts, mut day_ends) = (Vec::new(), None);
        for (name, zone) in
            meters.iter().filter_map(|meter| Some((&meter.name, meter.budget.as_ref()?.day_zone.as_ref()?)))
        {
            // Where the zone is not known the day before goes on, until the budget is spent and the job pauses.
            let Some((start, end)) = zone_of(zone).ok().and_then(|zone| day_of(now, &zone)) else { continue };
            day_ends = day_ends.into_iter().chain([end]).min();
            let begun = spending.iter().find(|row| row.name == *name).map(|row| row.day_start);
            if begun.is_none_or(|begun| begun < start) {
                starts.push((name.clone(), start));
            }
        }
        if !starts.is_empty() {
            self.store.begin_day(self.lease, &starts)?;
            spending = self.store.spending(job)?;
        }
        self.day_ends = day_ends;
        if self.lease.epoch() != Epoch(1) {
            self.shared.budgets.go_on();
        }
        let running = usize::try_from(self.job.progress.running).unwrap_or(0);
        // In a file a job has one manager.
        let others =
            if self.store.has_several_managers() { running.saturating_sub(self.shared.under_way().len()) } else { 0 };
        // So that others may rely on it, whatever they see of this one.
        let own = if self.store.has_several_managers() { self.job.limits.workers.max(1) } else { usize::MAX };
        let others = Others { running: others, managers: self.at_work, own };
        self.shared.budgets.look(&self.shared.feed, &self.job.limits.meters, &spending, others);
        Ok(())
    }

    /// Begins the next day of budgets by the day when it has come.
    pub(super) fn follow_days(&mut self, now: Timestamp) -> Result<(), ManagerError> {
        if self.day_ends.is_some_and(|end| now >= end) { self.look_at_spending() } else { Ok(()) }
    }

    /// Returns the halt of a job of which a unit has completed that a budget could not count.
    pub(super) fn uncounted(&self) -> Option<Halt> {
        let meters = &self.job.limits.meters;
        let (unit, name) = if meters.is_empty() { None } else { self.shared.budgets.uncounted() }?;
        let meter = meters.iter().find(|meter| meter.name == name)?;
        Some(halt::uncounted(unit.seq(), meter))
    }

    /// Returns what follows when units wait, none runs, and the budget lets none start.
    pub(super) fn over_budget(&self) -> Option<OverBudget> {
        let meters = &self.job.limits.meters;
        if meters.is_empty() || !self.shared.feed.is_over_budget() {
            return None;
        }
        let exhausted = self.shared.budgets.exhausted(meters);
        let until = |meter: &Meter| self.day_ends.filter(|_| meter.is_daily());
        let (meter, spending) = exhausted.iter().find(|(meter, _)| until(meter).is_none()).or(exhausted.first())?;
        let said = spending.over_budget(meter);
        Some(match until(meter) {
            Some(until) => OverBudget::Wait(Waits::Budget { said, until }),
            None => OverBudget::Halt(halt::over_budget(&said)),
        })
    }

    /// Returns what units wait for that run at the rate of a meter.
    pub(super) fn waits_for_meter(&self) -> Option<Waits> {
        if self.job.limits.meters.is_empty() {
            return None;
        }
        let wait = self.shared.feed.waits_for_meter()?;
        let meter = self.job.limits.meters.iter().find(|meter| meter.rate.is_some())?;
        let rate = format!("{} {}", meter.rate?, meter.name);
        Some(Waits::MeterRate { rate, until: self.shared.clock.now() + wait })
    }
}
