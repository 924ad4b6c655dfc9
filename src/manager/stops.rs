//! The ways in which running units are ended from outside: all of them, or one that somebody asked for.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::{AttemptEnd, Cause, Kill, KillThen, UnitId, UnitOutcome};
use crate::sys::Alarm;

/// One slot's stop.
#[derive(Debug)]
pub(super) struct SlotStop {
    /// Rings when the unit in this slot is to end.
    pub alarm: Alarm,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The unit, and which attempt at it.
    unit: Option<(UnitId, u32)>,
    kill: Option<Kill>,
}

impl SlotStop {
    /// Makes the stop of a slot in which nothing runs.
    pub fn new() -> io::Result<SlotStop> {
        Ok(SlotStop { alarm: Alarm::new()?, state: Mutex::default() })
    }

    /// Says which unit runs in the slot from now on.
    pub fn begin(&self, unit: UnitId, attempt: u32) {
        *self.lock() = State { unit: Some((unit, attempt)), kill: None };
    }

    /// Ends that attempt, if it is the one that runs here and is not being ended, and says whether it was.
    pub fn kill(&self, kill: &Kill) -> bool {
        let mut state = self.lock();
        let runs = state.unit.is_some_and(|(unit, attempt)| (unit.seq(), attempt) == (kill.seq, kill.attempt));
        let is_new = runs && state.kill.is_none();
        if is_new {
            state.kill = Some(kill.clone());
            self.alarm.ring();
        }
        is_new
    }

    /// Says whether the unit that runs here is to be ended.
    pub fn is_killed(&self) -> bool {
        self.lock().kill.is_some()
    }

    /// Says that the unit has ended, and returns what its end means: what was asked for, when it was cut off by that.
    pub fn finish(&self, end: AttemptEnd) -> AttemptEnd {
        let Some(kill) = std::mem::take(&mut *self.lock()).kill else { return end };
        self.alarm.silence();
        // One that came to an end of its own meanwhile has that end.
        match end.outcome {
            UnitOutcome::Interrupted | UnitOutcome::NotStarted { .. } => AttemptEnd { outcome: outcome(kill), ..end },
            _ => end,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code between lock and unlock can leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn outcome(kill: Kill) -> UnitOutcome {
    let (cause, error) = (Cause::Killed, kill.reason);
    match kill.then {
        KillThen::Retry => UnitOutcome::Retry { cause, error, delay: None },
        KillThen::Fail => UnitOutcome::Failed { cause, error },
        KillThen::Skip => UnitOutcome::Skipped { reason: error },
        KillThen::Cancel => UnitOutcome::Cancelled { reason: error },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Epoch, JobId, Seq};

    fn unit(seq: i64) -> UnitId {
        UnitId::new(JobId(1), Seq(seq))
    }

    fn kill(seq: i64) -> Kill {
        Kill { seq: Seq(seq), attempt: 1, epoch: Epoch(1), then: KillThen::Skip, reason: "enough".to_owned() }
    }

    #[test]
    fn only_the_unit_that_was_meant_is_ended() {
        let slot = SlotStop::new().unwrap();
        slot.begin(unit(1), 1);

        assert!(!slot.kill(&kill(2)));
        assert!(slot.kill(&kill(1)));
        let end = slot.finish(UnitOutcome::Interrupted.into());

        assert_eq!(end.outcome, UnitOutcome::Skipped { reason: "enough".to_owned() });
        assert!(!slot.kill(&kill(1)), "it has ended");
    }

    #[test]
    fn a_unit_that_ended_by_itself_meanwhile_keeps_its_end() {
        let slot = SlotStop::new().unwrap();
        slot.begin(unit(1), 1);
        slot.kill(&kill(1));

        let end = slot.finish(UnitOutcome::Completed { result: None }.into());

        assert_eq!(end.outcome, UnitOutcome::Completed { result: None });
        slot.begin(unit(2), 1);
        assert!(!slot.is_killed());
    }
}
