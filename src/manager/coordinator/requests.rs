//! What clients committed and what signals say, taken up while the job runs.

use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::{Coordinator, POLL_REQUESTS, request_of};
use crate::manager::error::ManagerError;
use crate::model::{Limits, StopRequest, Timestamp, chain, counted};
use crate::store::{Fault, Fence, StoreError};

impl Coordinator<'_> {
    /// Reads the job again when another connection has committed something.
    pub(super) fn poll_requests(&mut self) -> Result<(), ManagerError> {
        // What holds for all managers together follows what the others have written.
        let is_shared = self.job.limits.are_shared();
        let is_idle = self.shared.feed.level().in_hand == 0 && !self.claims.do_others_have_units();
        let every = if is_shared { POLL_REQUESTS } else { POLL_REQUESTS.max(self.store.look_every(is_idle)) };
        let has_lost = self.claims.may_have_lost(self.shared.clock.now());
        if self.looked_at.elapsed() < if has_lost { every.min(POLL_REQUESTS) } else { every } {
            return Ok(());
        }
        self.looked_at = Instant::now();
        self.store.refuse_moved_file()?;
        self.renew_lock();
        let seen = self.seen_version.filter(|_| !is_shared);
        let Fence { version, job, share, now, work } = self.store.fence(self.lease, seen, &self.reach())?;
        self.follow_clock(now)?;
        if let Some(work) = work {
            self.claims.learn(&work);
            self.next_due = work.next_due;
        }
        let Some(mut job) = job else { return Ok(()) };
        self.take_share(&mut job.limits, share)?;
        job.limits.bound_workers(self.most_workers);
        // A unit of another manager had the job wait, or somebody has it wait no longer.
        let is_held_alike = self.shared.follow_hold(job.hold.as_ref().map(|hold| hold.until));
        match self.store.machine_workers() {
            // One that cannot be read is no reason to end what runs: the one before holds.
            Err(unreadable @ StoreError::Unreadable(_)) => warn!("the limit over all jobs stays: {unreadable}"),
            limit => self.permits.set_limit(limit?),
        }
        if job.revision != self.seen_revision {
            // Units may have been added, or taken back from those that wait here.
            self.seen_revision = job.revision;
            self.shared.feed.recall();
            self.groups.are_known = false;
            self.next_due = Some(Timestamp::from_micros(0));
            self.finalizer_added = self.store.has_finalizer(self.lease.job())?;
            self.kill_units()?;
        }
        self.follow_limits(&job.limits);
        self.settle_kills()?;
        self.request = request_of(&job);
        self.job = job;
        self.look_at_spending()?;
        self.know_groups()?;
        // Last: what could not be read is looked at again.
        self.seen_version = Some(version).filter(|_| is_held_alike);
        Ok(())
    }

    /// Makes the job's lock again if something, as a cleaner of old files, has deleted it.
    fn renew_lock(&mut self) {
        let Some(lock) = self.held.as_mut().and_then(|held| held.lock.as_mut()) else { return };
        let trouble = match lock.keep() {
            Ok(false) => None,
            Ok(true) => {
                warn!("the lock of the job was deleted, and is made again");
                None
            }
            Err(error) => Some(format!("the lock of the job was deleted, and cannot be made again: {error}")),
        };
        if let Some(trouble) = trouble.as_ref().filter(|trouble| self.lock_trouble.as_ref() != Some(trouble)) {
            warn!("{trouble}");
        }
        self.lock_trouble = trouble;
    }

    /// Takes up limits that a client has changed.
    fn follow_limits(&mut self, limits: &Limits) {
        let before = &self.job.limits;
        if limits == before {
            return;
        }
        if limits.rate != before.rate {
            let interval = limits.rate.map_or(Duration::ZERO, |rate| rate.interval_among(self.at_work));
            self.shared.feed.limit_rate(interval, Duration::ZERO);
        }
        if limits.workers != before.workers {
            info!("{} from now on, before {}", counted(limits.workers, "worker"), before.workers);
            // Those that are lacking may not be wanted any more; further ones are demanded when there are units for them.
            self.demanded = self.demanded.min(limits.workers);
            let _ = self.grow.send(self.demanded);
        }
        if limits.workers != before.workers || limits.adapt != before.adapt {
            self.shared.adaptation.follow(limits, None, &self.shared.feed);
        }
        if limits.meters.is_empty() && !before.meters.is_empty() {
            self.shared.budgets.forget(&self.shared.feed);
        }
        if let Some(groups) = limits.groups.as_ref().filter(|groups| before.groups.as_ref() != Some(groups)) {
            self.shared.feed.limit_groups(groups);
        }
        self.shared.set_limits(limits.clone());
    }

    /// Ends the attempts that clients want to be ended; one that does not run any more has its end.
    fn kill_units(&mut self) -> Result<(), ManagerError> {
        self.asked = self.store.kills(self.lease.job())?;
        self.end_asked();
        Ok(())
    }

    /// Ends the attempts that are to end and run here.
    fn end_asked(&self) {
        for kill in &self.asked {
            if self.shared.kill(kill) {
                info!("ending unit {}: {}", kill.attempt.seq, kill.reason);
            }
        }
    }

    /// Forgets the requests whose attempts are over by their rows: until then they are needed if this process dies.
    fn settle_kills(&mut self) -> Result<(), ManagerError> {
        if self.asked.is_empty() {
            return Ok(());
        }
        match self.store.settle_kills(self.lease, &self.asked, self.shared.clock.now()) {
            Ok(standing) => {
                self.asked = standing;
                // A unit that is not to go on may have begun its next attempt since.
                self.end_asked();
            }
            // The next look, or the next manager, does it.
            Err(error) if error.fault().is_some_and(Fault::passes) => warn!("{}", chain(&error)),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Brings waits forward when the store's clock, which shows `now`, was set back since the last look.
    pub(super) fn follow_clock(&mut self, now: Timestamp) -> Result<(), ManagerError> {
        let ((shown, at), looked_at) = (self.clock_seen, Instant::now());
        if let Some(step) = self.shared.clock.follow(shown + (looked_at - at), now) {
            warn!("the clock was set back by {step:?}, waits are brought forward");
            self.store.shift_waits(self.lease, step, now)?;
            self.shared.shorten_hold(step);
            self.shared.feed.shorten_holds(step);
        }
        // Last: what could not be recorded is found again.
        self.clock_seen = (now, looked_at);
        Ok(())
    }

    pub(super) fn stop_wanted(&self) -> Option<(StopRequest, Option<Duration>)> {
        match self.request {
            Some(request) => Some(request),
            None if self.flags.now_requested() => Some((StopRequest::StopNow, None)),
            None if self.flags.stop_requested() => Some((StopRequest::Stop, None)),
            None => None,
        }
    }
}
