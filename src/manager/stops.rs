//! The ways in which running units are ended from outside: all of them, or one that somebody asked for.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::{AttemptEnd, AttemptId, Kill, KillThen, Seq, UnitOutcome};
use crate::sys::EventFd;

/// One slot's stop.
#[derive(Debug)]
pub(super) struct SlotStop {
    /// Rings when the unit in this slot is to end.
    pub event: EventFd,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What runs.
    attempt: Option<AttemptId>,
    ending: Option<Ending>,
}

/// Why one attempt is being ended.
#[derive(Debug)]
enum Ending {
    /// A client asked for it.
    Killed(Kill),
    /// A client had changed the unit before the start of the attempt was recorded: nobody waits for its end.
    Disowned,
    /// The manager's lease ran out: it goes back to pending, if it is this manager's yet.
    GivenUp,
}

impl SlotStop {
    /// Makes the stop of a slot in which nothing runs.
    pub fn new() -> io::Result<SlotStop> {
        Ok(SlotStop { event: EventFd::new()?, state: Mutex::default() })
    }

    /// Says which attempt runs in the slot from now on.
    pub fn begin(&self, attempt: AttemptId) {
        *self.lock() = State { attempt: Some(attempt), ending: None };
    }

    /// Ends an attempt as a client wants it, if it is one that is meant and runs here; returns whether it does and was not
    /// told before. A later request counts instead of an earlier one, but a cancellation is permanent.
    pub fn kill(&self, kill: &Kill) -> bool {
        let is_replaced = |ending: &Ending| match ending {
            Ending::Killed(before) => before.then != KillThen::Cancel && before != kill,
            Ending::Disowned => false,
            Ending::GivenUp => true,
        };
        self.end(|attempt| kill.is_about(attempt), is_replaced, || Ending::Killed(kill.clone()))
    }

    /// Ends the attempt at a unit whose start could not be recorded, if it runs here; returns whether it did.
    pub fn disown(&self, unit: Seq) -> bool {
        self.end(|attempt| attempt.seq == unit, |_| false, || Ending::Disowned)
    }

    /// Ends whatever attempt runs here, because the lease of the manager ran out.
    pub fn give_up(&self) {
        self.end(|_| true, |_| false, || Ending::GivenUp);
    }

    fn end(
        &self,
        is_meant: impl FnOnce(AttemptId) -> bool,
        is_replaced: impl FnOnce(&Ending) -> bool,
        ending: impl FnOnce() -> Ending,
    ) -> bool {
        let mut state = self.lock();
        let runs = state.attempt.is_some_and(is_meant);
        let is_new = runs && state.ending.as_ref().is_none_or(is_replaced);
        if is_new {
            state.ending = Some(ending());
            self.event.ring();
        }
        is_new
    }

    /// Returns what runs here.
    pub fn attempt(&self) -> Option<AttemptId> {
        self.lock().attempt
    }

    /// Says that nothing runs here any more, whatever was asked for.
    pub fn vacate(&self) {
        *self.lock() = State::default();
    }

    /// Returns `true` if the attempt that runs here is to be ended.
    pub fn is_ending(&self) -> bool {
        self.lock().ending.is_some()
    }

    /// Says that the attempt has ended, and returns what its end means: what was asked for, when it was cut off by that.
    pub fn finish(&self, end: AttemptEnd) -> AttemptEnd {
        let ending = std::mem::take(&mut *self.lock()).ending;
        if ending.is_some() {
            self.event.silence();
        }
        match ending {
            // One that came to an end of its own meanwhile has that end.
            Some(Ending::Killed(kill))
                if matches!(end.outcome, UnitOutcome::Interrupted | UnitOutcome::NotStarted { .. }) =>
            {
                AttemptEnd { outcome: kill.outcome(), ..end }
            }
            Some(Ending::Killed(_) | Ending::Disowned | Ending::GivenUp) | None => end,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code between lock and unlock can leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Epoch;

    fn attempt(seq: i64) -> AttemptId {
        AttemptId { seq: Seq(seq), revision: 0, attempt: 1, started_us: 5 }
    }

    fn kill(attempt: AttemptId) -> Kill {
        Kill { attempt, epoch: Epoch(1), then: KillThen::Skip, reason: "enough".to_owned() }
    }

    #[test]
    fn only_the_unit_that_was_meant_is_ended() {
        let slot = SlotStop::new().unwrap();
        slot.begin(attempt(1));

        assert!(!slot.kill(&kill(attempt(2))));
        assert!(slot.kill(&kill(attempt(1))));
        let end = slot.finish(UnitOutcome::Interrupted.into());

        assert_eq!(end.outcome, UnitOutcome::Skipped { reason: "enough".to_owned() });
        assert!(!slot.kill(&kill(attempt(1))), "it has ended");
    }

    #[test]
    fn fault_132_a_cancellation_counts_instead_of_other_requests_and_no_other_instead_of_it() {
        let asked = |then| Kill { then, ..kill(attempt(1)) };
        for order in [[KillThen::Skip, KillThen::Cancel], [KillThen::Cancel, KillThen::Retry]] {
            let slot = SlotStop::new().unwrap();
            slot.begin(attempt(1));
            for then in order {
                slot.kill(&asked(then));
            }

            let end = slot.finish(UnitOutcome::Interrupted.into());

            assert_eq!(end.outcome, UnitOutcome::Cancelled { reason: "enough".to_owned() }, "{order:?}");
        }
    }

    #[test]
    fn fault_132_a_later_attempt_of_the_same_number_is_not_the_one_that_was_meant() {
        let slot = SlotStop::new().unwrap();
        let retried = AttemptId { revision: 1, ..attempt(1) };
        let interrupted = AttemptId { started_us: 9, ..attempt(1) };
        let asked = |then| Kill { then, ..kill(attempt(1)) };

        for (later, then) in [
            (retried, KillThen::Cancel),
            (retried, KillThen::Fail),
            (interrupted, KillThen::Retry),
            (interrupted, KillThen::Fail),
        ] {
            slot.begin(later);

            assert!(!slot.kill(&asked(then)), "{later:?} {then}");
        }
    }

    #[test]
    fn fault_291_a_unit_that_is_to_be_cancelled_or_skipped_is_ended_in_whatever_attempt_and_once() {
        for then in [KillThen::Cancel, KillThen::Skip] {
            let slot = SlotStop::new().unwrap();
            let asked = Kill { then, ..kill(attempt(1)) };
            slot.begin(AttemptId { attempt: 2, started_us: 9, ..attempt(1) });

            assert_eq!([slot.kill(&asked), slot.kill(&asked)], [true, false], "{then}");
            let end = slot.finish(UnitOutcome::Interrupted.into());

            assert_eq!(end.outcome, asked.outcome());
        }
    }

    #[test]
    fn a_unit_that_is_given_up_goes_back_unless_somebody_wants_otherwise_and_the_next_one_runs() {
        let slot = SlotStop::new().unwrap();
        slot.give_up();
        assert!(!slot.is_ending(), "nothing ran");

        slot.begin(attempt(1));
        slot.give_up();
        assert!(slot.is_ending());
        assert_eq!(slot.finish(UnitOutcome::Interrupted.into()).outcome, UnitOutcome::Interrupted);
        slot.begin(attempt(2));
        assert!(!slot.is_ending());
        slot.give_up();

        assert!(slot.kill(&kill(attempt(2))));
        let end = slot.finish(UnitOutcome::Interrupted.into());
        assert_eq!(end.outcome, UnitOutcome::Skipped { reason: "enough".to_owned() });
    }

    #[test]
    fn a_unit_that_ended_by_itself_meanwhile_keeps_its_end() {
        let slot = SlotStop::new().unwrap();
        slot.begin(attempt(1));
        slot.kill(&kill(attempt(1)));

        let end = slot.finish(UnitOutcome::Completed { result: None }.into());

        assert_eq!(end.outcome, UnitOutcome::Completed { result: None });
        slot.begin(attempt(2));
        assert!(!slot.is_ending());
    }
}
