//! What there is room for: of the machine, over all jobs, and of what this process may have.

use std::time::{Duration, Instant};

use tracing::warn;

use super::Coordinator;
use crate::handler::slots_of;
use crate::model::{Unit, Waits};
use crate::sys::opening;

/// Time between two tries at what was lacking.
const TRY_EVERY: Duration = Duration::from_secs(1);
/// Time between two looks for processes that units left behind.
const REAP_EVERY: Duration = Duration::from_millis(500);

impl Coordinator<'_> {
    /// Lets no more units run at a time here, whatever the job's limit becomes.
    pub fn bound_workers(&mut self, most: Option<usize>) {
        self.most_workers = most;
    }

    /// Tells what the next start waits for: that, or what else is lacking.
    pub(super) fn tell_waits(&self, waits: Option<Waits>) {
        let callbacks = || self.shared.feed.reports_too_many().map(|waiting| Waits::Callbacks { waiting });
        let waits =
            waits.or_else(callbacks).or_else(|| self.shared.shortage.waits()).or_else(|| self.waits_for_meter());
        let waits = waits.or_else(|| self.waits_for_group());
        self.shared.set_waits(waits.as_ref());
    }

    /// Lets start what the machine has room for, and returns what units wait for.
    pub(super) fn look_at_machine(&mut self) -> Option<Waits> {
        let _opening = opening();
        self.machine.settle(&self.shared.feed, &self.job.limits.start).cloned()
    }

    pub(super) fn share_places(&mut self) {
        let _opening = opening();
        let adapted = self.shared.adaptation.workers().unwrap_or(usize::MAX);
        self.permits.rebalance(&self.shared.feed, self.job.limits.workers.min(adapted));
    }

    /// Tries to run more units at a time, and to have more workers, where something was lacking for them.
    pub(super) fn try_for_more(&mut self) {
        if self.tried_at.elapsed() < TRY_EVERY {
            return;
        }
        self.tried_at = Instant::now();
        let shortage = &self.shared.shortage;
        if shortage.is_of_units() && self.shared.feed.let_more_run(self.job.limits.workers) {
            shortage.end();
        }
        if shortage.is_of_workers() {
            // Whoever starts them lives as long as this does.
            let _ = self.grow.send(self.demanded);
        }
    }

    /// Demands workers for so many units, as far as the limit allows and they were not demanded before.
    pub(super) fn demand_workers(&mut self, units: usize) {
        let wanted = units.min(self.job.limits.workers);
        if wanted > self.demanded {
            self.demanded = wanted;
            let _ = self.grow.send(wanted);
        }
    }

    /// Notes how many workers each unit takes.
    pub(super) fn with_slots(&self, mut units: Vec<Unit>) -> Vec<Unit> {
        if !self.job.limits.slots.is_one() {
            for unit in &mut units {
                // What cannot be read fails the unit's attempt, which says so; the last unit has no fields.
                unit.slots = slots_of(&self.job.limits, &unit.payload, unit.id.seq()).unwrap_or(1);
            }
        }
        units
    }

    /// Reaps what units left behind; a failure only leaves zombies.
    pub(super) fn reap_adopted(&mut self) {
        if self.reaped_at.elapsed() < REAP_EVERY {
            return;
        }
        self.reaped_at = Instant::now();
        let reaped = {
            let _opening = opening();
            self.adopted.reap()
        };
        if let Err(error) = reaped {
            warn!("cannot reap the processes that units left behind: {error}");
        }
    }
}
