//! Database work that must not fail for a reason that passes: somebody else who holds the lock, a full disk, a server that is away.

use std::time::Duration;

use tracing::{info, warn};

use super::error::ManagerError;
use crate::model::chain;
use crate::store::{Fault, StoreError};
use crate::sys::StopFlags;

/// Pause before something is tried again; SQLite has waited for a lock before that.
const RETRY: Duration = Duration::from_millis(250);

/// Waits out what passes, for as long as it takes.
#[derive(Debug, Default)]
pub(super) struct TransientRetries {
    waited_for: Option<Fault>,
}

/// An error that may be about the database.
pub(super) trait OfDatabase: std::error::Error {
    /// Returns what kind of refusal it is, if it is one.
    fn fault(&self) -> Option<Fault>;
}

impl OfDatabase for StoreError {
    fn fault(&self) -> Option<Fault> {
        StoreError::fault(self)
    }
}

impl OfDatabase for ManagerError {
    fn fault(&self) -> Option<Fault> {
        match self {
            Self::Store(error) => error.fault(),
            _ => None,
        }
    }
}

impl TransientRetries {
    /// Waits and returns, when it makes sense to try again; else, or when somebody is in a hurry, returns the error.
    pub fn try_again<E: OfDatabase>(&mut self, error: E, hurry: bool) -> Result<(), E> {
        let Some(fault) = error.fault().filter(|fault| fault.passes() && !hurry) else { return Err(error) };
        if self.waited_for != Some(fault) {
            let what = match fault {
                Fault::Full => "space",
                Fault::Disconnected | Fault::Standby => "its server",
                _ => "the lock",
            };
            warn!("{}; waiting for {what}, what happened is kept in memory", chain(&error));
        }
        self.waited_for = Some(fault);
        std::thread::sleep(RETRY);
        Ok(())
    }

    /// Says in the log that a wait is over, if there was one.
    pub fn succeed(&mut self) {
        match self.waited_for.take() {
            Some(Fault::Full) => info!("the disk has space again, going on"),
            Some(_) => info!("the database can be written again, going on"),
            None => {}
        }
    }
}

/// Works on the database until that succeeds, fails for a reason that does not pass, or a second signal tells us to hurry.
pub(super) fn retry_transient<T, E: OfDatabase>(
    flags: &StopFlags,
    mut work: impl FnMut() -> Result<T, E>,
) -> Result<T, E> {
    let mut retries = TransientRetries::default();
    loop {
        match work() {
            Ok(done) => {
                retries.succeed();
                return Ok(done);
            }
            Err(error) => retries.try_again(error, flags.now_requested())?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(fault: Fault) -> StoreError {
        StoreError::Database { operation: "record", fault, path: "jobs.db".into(), source: "refused".into() }
    }

    #[test]
    fn fault_160_a_busy_database_is_waited_out_however_often_it_refuses() {
        let mut refusals = vec![Fault::Busy; 8];

        let done =
            retry_transient(&StopFlags::default(), || refusals.pop().map_or(Ok("done"), |fault| Err(refused(fault))));

        assert_eq!(done.unwrap(), "done");
    }

    #[test]
    fn what_does_not_pass_and_what_somebody_is_in_a_hurry_for_is_not_waited_out() {
        assert!(TransientRetries::default().try_again(refused(Fault::Damaged), false).is_err());
        assert!(TransientRetries::default().try_again(refused(Fault::Busy), true).is_err());
    }
}
