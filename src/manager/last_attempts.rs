//! What became of earlier attempts at units that come back.
//!
//! Asked for when such a unit begins, by a connection that is opened for the first of them: a job whose units complete at once
//! has none.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use tracing::warn;

use crate::model::{AttemptRecord, Timestamp, UnitId, chain};
use crate::store::{Access, Store, StoreError, is_on_server};
use crate::sys::opening;

/// The attempts of one database.
pub(super) struct LastAttempts {
    path: PathBuf,
    store: Mutex<Option<Store>>,
}

impl LastAttempts {
    /// Names the database; nothing is opened.
    pub fn of(path: PathBuf) -> LastAttempts {
        LastAttempts { path, store: Mutex::default() }
    }

    /// Returns the latest attempt at a unit that came to its end and to nothing; where that cannot be read, its next attempt
    /// begins without it.
    pub fn find(&self, unit: UnitId) -> Option<AttemptRecord> {
        self.read(|store| store.last_attempt(unit)).unwrap_or_else(|error| {
            warn!("unit {unit} is not told what became of its attempt before: {}", chain(&error));
            None
        })
    }

    /// Returns when the first attempt at a unit began that came to nothing, and when the last one ended; where that cannot be read,
    /// there was none.
    pub fn span(&self, unit: UnitId) -> Option<(Timestamp, Timestamp)> {
        self.read(|store| store.attempts_span(unit)).unwrap_or_else(|error| {
            warn!("it is not known when attempts at unit {unit} ran: {}", chain(&error));
            None
        })
    }

    /// Returns the most memory that an attempt at a unit had which something has killed; where that cannot be read, there was none.
    pub fn killed_with(&self, unit: UnitId) -> Option<u64> {
        self.read(|store| store.killed_with(unit)).unwrap_or_else(|error| {
            warn!("it is not known how much memory was too little for unit {unit}: {}", chain(&error));
            None
        })
    }

    fn read<T>(&self, ask: impl FnOnce(&mut Store) -> Result<T, StoreError>) -> Result<T, StoreError> {
        // A panic leaves at worst a connection that the next statement finds broken.
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let mut open = match store.take() {
            Some(open) => open,
            None => {
                // A server may be waited for, and other units start meanwhile.
                let _opening = (!is_on_server(&self.path)).then(opening);
                Store::open(&self.path, Access::Read)?
            }
        };
        let found = ask(&mut open);
        if found.is_ok() {
            *store = Some(open);
        }
        found
    }
}
