//! The time between the decision that a job stops and the end of its last running unit.

use std::time::{Duration, Instant};

use super::{Coordinator, POLL_SIGNALS, ReignEnd};
use crate::crash::crash_point;
use crate::manager::error::{ManagerError, chain};
use crate::manager::log::log_line;
use crate::manager::{abandon, halt};
use crate::model::{StopRequest, counted};

/// Time beyond `kill_after` in which units must have ended once that was asked for.
const END_UNITS: Duration = Duration::from_secs(5);

impl Coordinator<'_> {
    /// Says that the job stops although nobody has wished it. Who resumes it meanwhile is only told less well when that
    /// cannot be written: the stop does not wait for it.
    fn note_stopping(&mut self) {
        if let Err(error) = self.store.note_stopping(self.reign, "by itself, or by a signal to its manager") {
            log_line!("{}", chain(&error));
        }
    }

    /// Gives back the units whose handlers do not return; does not return itself where the process ends with them.
    fn leave_units(&mut self, wanted: StopRequest) -> Result<ManagerError, ManagerError> {
        let (handlers, status) = abandon::leave_units(self.store, self.reign, &self.job.limits, wanted)?;
        let job = self.job.id;
        self.leave(ManagerError::HandlersStay { job, handlers, status });
        Ok(ManagerError::HandlersStay { job, handlers, status })
    }

    /// Leaves the handlers that do not return; does not return itself where the process ends with them.
    fn leave(&mut self, error: ManagerError) {
        if let Some((lock, leave)) = &mut self.post {
            // Whoever is told may want to go on with the job at once.
            drop(lock.take());
            leave(error);
        }
    }

    /// Ends the running units of a manager that has failed, and waits until they have ended: no longer than handlers have to
    /// return. `failed` is the coordinator's own error; without one it is that of another thread.
    ///
    /// Does not return where the process ends with handlers that do not.
    pub(super) fn end_failed(&mut self, failed: Option<ManagerError>) -> Result<ReignEnd, ManagerError> {
        self.shared.end_units();
        let (began, job) = (Instant::now(), self.job.id);
        while self.shared.running_attempts() > 0 && began.elapsed() <= self.job.limits.kill_after + END_UNITS {
            std::thread::sleep(POLL_SIGNALS);
        }
        let handlers = self.shared.running_attempts();
        if handlers > 0
            && let Some(error) = self.shared.error().or(failed.as_ref())
        {
            let left = || ManagerError::HandlersLeft { job, handlers, message: chain(error) };
            abandon::leave_failed(self.store, self.reign, error, self.shared.clock.now());
            log_line!("{handlers} handlers do not return");
            self.leave(left());
            return Err(left());
        }
        failed.map_or(Ok(ReignEnd::Failed), Err)
    }

    /// Lets running units finish, or ends them, waits for the commit of their ends, and returns what was wanted in the
    /// end; none when a thread failed.
    pub(super) fn stop(&mut self, first: (StopRequest, Option<Duration>)) -> Result<Option<StopRequest>, ManagerError> {
        self.shared.stop_feeding();
        let began = Instant::now();
        let mut ending_since = None;
        let mut wanted = first;
        crash_point!("stopping");
        log_line!("stopping ({}), {} in hand", wanted.0, counted(self.shared.feed.level().in_hand, "unit"));
        if self.wish.is_none() {
            self.note_stopping();
        }
        loop {
            let grace_over = wanted.1.is_some_and(|grace| began.elapsed() >= grace);
            let too_late = halt::is_over(&self.job, self.shared.clock.now());
            let at_once = (wanted.0 != StopRequest::Stop && wanted.1.is_none()) || too_late;
            if !self.shared.is_ending_units() && (at_once || grace_over || self.flags.now_requested()) {
                log_line!("ending the running units");
                ending_since = Some(Instant::now());
                self.shared.end_units();
            }
            let level = self.shared.feed.level();
            if self.shared.has_failed() {
                return Ok(None);
            }
            if level.in_hand == 0 {
                return Ok(Some(wanted.0));
            }
            if ending_since.is_some_and(|since| since.elapsed() > self.job.limits.kill_after + END_UNITS) {
                return Err(self.leave_units(wanted.0)?);
            }
            self.shared.feed.wait_for_change(level, POLL_SIGNALS);
            self.share_places();
            self.reap_adopted();
            self.look_for_wishes()?;
            wanted = self.wish.unwrap_or(wanted);
        }
    }
}
