//! The time of a coordinator as a whole: its turns, and what is done when they are over.

use super::{Coordinator, RunOutcome};
use crate::manager::error::ManagerError;
use crate::manager::panics;
use crate::manager::transient::TransientRetries;

impl Coordinator<'_> {
    /// Runs until the job has ended or has to stop; every unit taken by then has ended and is committed. After an error no
    /// attempt is under way when it returns, or the process has ended.
    pub fn run(mut self) -> Result<RunOutcome, ManagerError> {
        let end =
            panics::catch(|| self.feed_workers()).unwrap_or_else(|message| Err(ManagerError::Panicked { message }));
        self.shared.stop_feeding();
        if end.is_err() {
            self.shared.end_units();
        }
        match end {
            Err(ManagerError::HandlersStay { .. })
            | Ok(RunOutcome::Finished(_) | RunOutcome::Stopped(_) | RunOutcome::Halted(_)) => end,
            Err(_) | Ok(RunOutcome::Failed) => self.leave_failed(end),
        }
    }

    /// Takes turns until one ends the lease; a database that cannot be used for a time is waited for.
    fn feed_workers(&mut self) -> Result<RunOutcome, ManagerError> {
        let mut retries = TransientRetries::default();
        loop {
            match self.take_turns(&mut retries) {
                Err(error) => retries.try_again(error, self.flags.now_requested() || self.shared.has_failed())?,
                ended => return ended,
            }
        }
    }
}
