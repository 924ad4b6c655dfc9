//! What a manager, or the recovery, has to record of one unit.

use crate::model::{
    AttemptEnd, Cause, Epoch, HoldScope, Postponement, Tally, Timestamp, UnitId, UnitOutcome, UnitStatus, When,
};

/// One change of one unit.
///
/// `from`, `seen_attempts` and `revision` say how the row must look; one that a client has changed meanwhile is left alone.
#[derive(Debug, Clone)]
pub struct UnitChange {
    /// The unit.
    pub unit: UnitId,
    /// State it is expected in.
    pub from: UnitStatus,
    /// State it moves to.
    pub to: UnitStatus,
    /// Attempts that its row must have counted.
    pub seen_attempts: u32,
    /// Changes by clients that its row must have seen.
    pub revision: i64,
    /// Attempts counted from now on.
    pub attempts: u32,
    /// Managers that died while it ran.
    pub crashes: u32,
    /// Earliest time of the next attempt; set exactly when it goes back to pending.
    pub not_before: Option<Timestamp>,
    /// When the attempt started; none when only the row may know it.
    pub started_at: Option<Timestamp>,
    /// Worker slot in which it ran, from 1; none when only the row may know it.
    pub slot: Option<u32>,
    /// When the attempt ended; none when it starts.
    pub ended_at: Option<Timestamp>,
    /// Lease under which it ran.
    pub epoch: Epoch,
    /// How it ended; none when it starts.
    pub end: Option<AttemptEnd>,
}

impl UnitChange {
    /// Returns the number of the attempt, counted from 1.
    pub fn attempt(&self) -> u32 {
        self.seen_attempts + u32::from(self.from == UnitStatus::Pending)
    }

    /// Returns how the attempt came to nothing, and why.
    pub fn failure(&self) -> Option<(Cause, &str)> {
        self.end.as_ref()?.outcome.failure()
    }

    /// Returns why the unit did not complete, in words.
    pub fn error(&self) -> Option<&str> {
        self.end.as_ref()?.outcome.error()
    }

    /// Returns what the handler returned, as JSON.
    pub fn result(&self) -> Option<&str> {
        self.end.as_ref()?.outcome.result()
    }

    /// Counts the attempts that some changes end.
    pub fn tally(changes: &[UnitChange]) -> Tally {
        let mut tally = Tally::default();
        changes.iter().for_each(|change| change.count_in(&mut tally));
        tally
    }

    /// Counts the attempt that it ends, if it ends one.
    pub fn count_in(&self, tally: &mut Tally) {
        if let Some(end) = &self.end {
            let took = self.started_at.zip(self.ended_at).map(|(started, ended)| ended.since(started));
            tally.add(&end.outcome, self.to, took);
        }
    }

    /// Returns `true` if it is counted what the attempt has cost.
    pub fn is_metered(&self) -> bool {
        self.end.as_ref().is_some_and(|end| !end.metered.is_empty())
    }

    /// Returns `true` if the attempt may have said when the next one is to start, and that is over with its end.
    pub fn may_have_said_later(&self) -> bool {
        let is_later = |end: &AttemptEnd| matches!(end.outcome, UnitOutcome::Later(_));
        self.end.as_ref().is_some_and(|end| is_later(end) || self.to == UnitStatus::Failed)
    }

    /// Returns the time before which no other unit of its group shall start either, and why.
    pub fn group_hold(&self) -> Option<(Timestamp, &str)> {
        match (&self.end.as_ref()?.outcome, self.ended_at) {
            (
                UnitOutcome::Later(Postponement { when: When::Until(until), hold: HoldScope::Group, reason, .. }),
                Some(ended_at),
            ) => Some(((*until).max(ended_at), reason)),
            _ => None,
        }
    }

    /// Returns the time before which no other unit of the job shall start either, and why.
    pub fn hold(&self) -> Option<(Timestamp, &str)> {
        match (&self.end.as_ref()?.outcome, self.ended_at) {
            (UnitOutcome::PauseJob { delay, reason }, Some(ended_at)) => Some((ended_at + *delay, reason)),
            (
                UnitOutcome::Later(Postponement { when: When::Until(until), hold: HoldScope::Job, reason, .. }),
                Some(ended_at),
            ) => Some(((*until).max(ended_at), reason)),
            _ => None,
        }
    }
}
