//! What a manager does by itself when its lease runs out: other hosts take its units over then, and none may run twice.
//!
//! It has a thread of its own, because all others may wait for an answer of the server when the connection is dead. That thread asks
//! nobody: it follows what the stores have noted about the last renewal, by a clock that goes on while the machine sleeps. It sleeps
//! itself until the lease would run out, which it does only when something is wrong.
//!
//! Known weaknesses: a process that is stopped runs none of its threads, so that its units run on until it is woken, also beyond its
//! lease. A function of a program that does not return when it is told to is not ended.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::error::ManagerError;
use super::panics;
use super::shared::Shared;
use crate::store::Renewals;
use crate::sys::{BootPause, EventFd, since_boot};

/// Time between two looks whether the lease was renewed after all.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Ends the watch over a lease when it is dropped.
pub(super) struct EndOfWatch<'a>(&'a EventFd);

/// The watch over a lease.
pub(super) struct LeaseGuard {
    renewals: Arc<Renewals>,
    pause: BootPause,
    over: EventFd,
}

impl LeaseGuard {
    /// Makes a guard that does not watch yet.
    pub fn new(renewals: Arc<Renewals>) -> io::Result<LeaseGuard> {
        Ok(LeaseGuard { renewals, pause: BootPause::new()?, over: EventFd::new()? })
    }

    /// Returns what ends the watch when it is dropped.
    pub fn end_of_watch(&self) -> EndOfWatch<'_> {
        EndOfWatch(&self.over)
    }

    /// Watches: ends units and lets none start while the lease is not renewed in time, and lets them go on when it is. The manager
    /// ends where that cannot be done.
    pub fn watch(&self, shared: &Shared) {
        let failed = match panics::catch(|| self.follow_lease(shared)) {
            Ok(Ok(())) => return,
            Ok(Err(error)) => ManagerError::system("watch the lease")(error),
            Err(message) => ManagerError::Panicked { message },
        };
        shared.fail(failed);
    }

    fn follow_lease(&self, shared: &Shared) -> io::Result<()> {
        loop {
            let (until, now) = (self.renewals.units_may_run_until(), since_boot());
            let has_run_out = now >= until;
            if has_run_out != shared.is_suspended() {
                follow(shared, has_run_out);
            }
            let next = if has_run_out { now + LOOK_EVERY } else { until };
            if self.pause.until(next, &self.over)? {
                return Ok(());
            }
        }
    }
}

fn follow(shared: &Shared, has_run_out: bool) {
    if has_run_out {
        // First, whatever the log is on.
        shared.suspend();
        let units = shared.under_way().len();
        warn!("the lease was not renewed in time: ending the running units ({units}), none starts before it is");
    } else {
        info!("the lease is renewed, units start again");
        shared.go_on();
    }
}

impl Drop for EndOfWatch<'_> {
    fn drop(&mut self) {
        self.0.ring();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::manager::Clock;
    use crate::model::{AttemptId, JobId, Limits, Seq, Unit};
    use crate::store::UnitRange;

    fn attempt(seq: i64) -> AttemptId {
        AttemptId { seq: Seq(seq), revision: 0, attempt: 1, started_us: 5 }
    }

    #[test]
    fn a_lease_that_runs_out_ends_what_runs_and_keeps_the_rest_from_starting() {
        let shared = Shared::new(Clock::Wall, Limits::default());
        shared.feed.add(UnitRange { after: Seq(0), through: Seq::MAX });
        shared.feed.put_after(Seq(0), vec![Unit::pending(JobId(1), 1)]);
        let slot = shared.open_slot().unwrap();
        slot.begin(attempt(1));
        let lease = Duration::from_millis(300);
        let guard = LeaseGuard::new(Renewals::new(since_boot, since_boot(), lease)).unwrap();
        let began = Instant::now();

        std::thread::scope(|threads| {
            let _end = guard.end_of_watch();
            threads.spawn(|| guard.watch(&shared));
            assert!(shared.feed.has_room());
            while !slot.is_ending() {
                assert!(began.elapsed() < Duration::from_secs(30), "nothing was ended");
                std::thread::yield_now();
            }
            assert!(began.elapsed() >= lease * 2 / 3, "{:?}", began.elapsed());
        });

        assert!(shared.is_suspended() && !shared.feed.has_room());
        shared.go_on();
        assert!(shared.feed.has_room());
    }
}
