//! What this manager lacks to run as many units at a time as its job has workers: open files, processes, memory.
//!
//! A lack costs no unit an attempt. A unit that could not be started goes back, fewer units run at a time, and every
//! second a few more are tried; workers that could not be had are tried for again. Until then status and log say what is
//! lacking.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::{info, warn};

use crate::model::{Lack, Waits};

/// What is lacking at present.
#[derive(Debug, Default)]
pub(super) struct Shortage(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// To start units that workers had taken.
    of_units: Option<Waits>,
    /// To have as many workers as the job should.
    of_workers: Option<Waits>,
}

impl Shortage {
    /// Notes that a unit could not be started.
    pub fn begin(&self, what: Lack, error: &str) {
        let mut state = self.lock();
        if state.of_units.is_none() {
            warn!("short of {what}, fewer units run at a time: {error}");
        }
        state.of_units = Some(Waits::Lack { what, error: error.to_owned() });
    }

    /// Notes that as many units as there are workers may run again.
    pub fn end(&self) {
        if self.lock().of_units.take().is_some() {
            info!("as many units run at a time again as there are workers");
        }
    }

    /// Notes why there are fewer workers than there should be, or that there are enough.
    pub fn set_workers(&self, lack: Option<(Lack, String)>) {
        let lack = lack.map(|(what, error)| Waits::Lack { what, error });
        let mut state = self.lock();
        if state.of_workers != lack {
            match &lack {
                Some(lack) => warn!("short of {lack}"),
                None => info!("there are as many workers as there should be"),
            }
            state.of_workers = lack;
        }
    }

    /// Returns `true` if units could not be started lately.
    pub fn is_of_units(&self) -> bool {
        self.lock().of_units.is_some()
    }

    /// Returns `true` if there are fewer workers than there should be.
    pub fn is_of_workers(&self) -> bool {
        self.lock().of_workers.is_some()
    }

    /// Returns what is lacking.
    pub fn waits(&self) -> Option<Waits> {
        let state = self.lock();
        state.of_units.clone().or_else(|| state.of_workers.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code between lock and unlock can leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
