//! The time between the decision that a job stops and the end of its last running unit.

use std::time::{Duration, Instant};

use tracing::{info, warn};

use super::leaving::{COMMIT_TIME, END_UNITS};
use super::{Coordinator, POLL_SIGNALS, RunOutcome};
use crate::crash::crash_point;
use crate::manager::error::ManagerError;
use crate::manager::halt::{self, Halt};
use crate::model::{StopRequest, chain, counted};

impl Coordinator<'_> {
    /// Says that the job stops although nobody has requested it. Who resumes it meanwhile is only told less well when that
    /// cannot be written: the stop does not wait for it.
    fn note_stopping(&mut self) {
        if let Err(error) = self.store.note_stopping(self.lease, "by itself, or by a signal to its manager") {
            warn!("{}", chain(&error));
        }
    }

    /// Says once that ends are still to be committed, and gives up when none is for a long time.
    fn wait_for_commit(&mut self, waiting: &mut Option<(usize, Instant)>) -> Result<(), ManagerError> {
        let units = self.shared.feed.level().in_hand;
        match *waiting {
            Some((before, since)) if before == units => {
                if since.elapsed() > COMMIT_TIME {
                    return Err(self.leave_uncommitted(units));
                }
            }
            _ => {
                info!("{} have ended, and wait for their commit", counted(units, "unit"));
                *waiting = Some((units, Instant::now()));
            }
        }
        Ok(())
    }

    /// Lets running units finish, or ends them, waits for the commit of their ends, and returns what was wanted in the
    /// end; none when a thread failed. `halt` says why, where the job stops by itself.
    pub(super) fn stop(
        &mut self,
        first: (StopRequest, Option<Duration>),
        halt: Option<&Halt>,
    ) -> Result<Option<StopRequest>, ManagerError> {
        self.shared.stop_feeding();
        let began = Instant::now();
        let (mut ending_since, mut waiting) = (None, None);
        let mut wanted = first;
        crash_point!("stopping");
        info!("stopping ({}), {} in hand", wanted.0, counted(self.shared.feed.level().in_hand, "unit"));
        if self.request.is_none() {
            self.note_stopping();
        }
        loop {
            let grace_over = wanted.1.is_some_and(|grace| began.elapsed() >= grace);
            let too_late = halt::is_over(&self.job, self.shared.clock.now());
            let at_once = (wanted.0 != StopRequest::Stop && wanted.1.is_none()) || too_late;
            if !self.shared.is_ending_units() && (at_once || grace_over || self.flags.now_requested()) {
                info!("ending the running units");
                self.shared.end_units();
            }
            let level = self.shared.feed.level();
            if self.shared.has_failed() {
                return Ok(None);
            }
            if level.in_hand == 0 {
                return Ok(Some(wanted.0));
            }
            if self.shared.is_ending_units() {
                let since = *ending_since.get_or_insert_with(Instant::now);
                let is_late = since.elapsed() > self.job.limits.kill_after + END_UNITS;
                if is_late && self.may_leave() {
                    let end = match halt {
                        Some(halt) if wanted.0 != StopRequest::Cancel => RunOutcome::Halted(halt.clone()),
                        _ => RunOutcome::Stopped(wanted.0),
                    };
                    if let Some(error) = self.leave_units(&end)? {
                        return Err(error);
                    }
                } else if is_late {
                    self.wait_for_commit(&mut waiting)?;
                }
            }
            self.shared.feed.wait_for_change(level, POLL_SIGNALS);
            self.share_places();
            self.reap_adopted();
            self.poll_requests()?;
            wanted = self.request.unwrap_or(wanted);
        }
    }
}
