//! What a manager offers to the attempt that runs in one of its workers.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::handler::AttemptControl;
use crate::manager::events::{Event, Events};
use crate::manager::last_attempts::LastAttempts;
use crate::manager::shared::Shared;
use crate::manager::stops::SlotStop;
use crate::model::{Amount, AttemptRecord, Timestamp, UnitId, UnitNotes};

/// Bytes of a result of which no two are held in memory at the same time.
const LONG_RESULT_BYTES: usize = 1 << 20;

/// What a worker offers to the handler it runs.
pub(super) struct WorkerAttempt<'a> {
    pub shared: &'a Shared,
    pub stop: &'a SlotStop,
    pub events: &'a Events<'a>,
    pub last_attempts: &'a LastAttempts,
    /// Revision of the unit that runs.
    pub revision: i64,
    /// Whether it is this worker's turn to hold a long result.
    pub has_long_result: AtomicBool,
}

impl Drop for WorkerAttempt<'_> {
    fn drop(&mut self) {
        if *self.has_long_result.get_mut() {
            self.shared.end_long_result();
        }
    }
}

impl AttemptControl for WorkerAttempt<'_> {
    fn is_stopping(&self) -> bool {
        self.shared.is_stopping() || self.stop.is_ending()
    }

    #[cfg(feature = "async")]
    fn is_ending_units(&self) -> bool {
        self.shared.is_ending_units() || self.stop.is_ending()
    }

    fn note(&self, unit: UnitId, notes: UnitNotes, durable: bool) -> bool {
        if !durable {
            return self.events.send(Event::Noted(unit, self.revision, notes, None)).is_ok();
        }
        self.events.send_and_wait(|answer| Event::Noted(unit, self.revision, notes, Some(answer))).unwrap_or(false)
    }

    fn spend(&self, unit: UnitId, amounts: Vec<(String, Amount)>) -> bool {
        self.events.send_and_wait(|answer| Event::Spent(unit, amounts, answer)).unwrap_or(false)
    }

    fn last_attempt(&self, unit: UnitId) -> Option<AttemptRecord> {
        self.last_attempts.find(unit)
    }

    fn killed_with(&self, unit: UnitId) -> Option<u64> {
        self.last_attempts.killed_with(unit)
    }

    fn attempts_span(&self, unit: UnitId) -> Option<(Timestamp, Timestamp)> {
        self.last_attempts.span(unit)
    }

    fn make_room_for_result(&self, bytes: usize) {
        if bytes > LONG_RESULT_BYTES {
            self.shared.begin_long_result();
            self.has_long_result.store(true, Ordering::Relaxed);
        }
    }
}
