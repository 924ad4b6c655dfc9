//! Writes that must not fail for a reason that passes: a busy database, a full disk.

use std::time::Duration;

use super::error::chain;
use super::log::log_line;
use crate::store::{Fault, StoreError};
use crate::sys::StopFlags;

/// Pause before a write is tried again on a full disk.
const FULL_RETRY: Duration = Duration::from_millis(250);
/// Tries against a busy database; each waits for SQLite's own timeout.
const BUSY_TRIES: u32 = 6;

/// Decides after each failure of one write whether it is tried again.
#[derive(Debug, Default)]
pub(super) struct Patience {
    busy: u32,
    full: bool,
}

impl Patience {
    /// Waits and returns, when it makes sense to try again; else returns the error.
    ///
    /// A full disk is waited out for as long as nobody is in a hurry; a busy database is tried a few times more.
    pub fn try_again(&mut self, error: StoreError, hurry: bool) -> Result<(), StoreError> {
        match error.fault() {
            Some(Fault::Busy) if self.busy < BUSY_TRIES && !hurry => {
                log_line!("{}; trying again", chain(&error));
                self.busy += 1;
                Ok(())
            }
            Some(Fault::Full) if !hurry => {
                if !self.full {
                    log_line!("{}; waiting for space, what happened is kept in memory", chain(&error));
                }
                self.full = true;
                std::thread::sleep(FULL_RETRY);
                Ok(())
            }
            _ => Err(error),
        }
    }

    /// Says in the log that the wait for space is over, if there was one.
    pub fn succeed(&self) {
        if self.full {
            log_line!("the disk has space again, going on");
        }
    }
}

/// Runs a write until it succeeds, fails for a reason that does not pass, or a second signal tells us to hurry.
pub(super) fn patiently<T>(
    flags: &StopFlags,
    mut write: impl FnMut() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let mut patience = Patience::default();
    loop {
        match write() {
            Ok(done) => {
                patience.succeed();
                return Ok(done);
            }
            Err(error) => patience.try_again(error, flags.now_requested())?,
        }
    }
}
