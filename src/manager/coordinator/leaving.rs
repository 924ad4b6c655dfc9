//! The way out when a handler does not come back: a thread cannot be killed, but it can be left behind.
//!
//! A unit is left only while its attempt is under way: one that has ended has its end, however long the commit of that
//! takes. What becomes of the process is not decided here: a manager ends it, a test goes on.

use std::time::{Duration, Instant};

use tracing::{error, warn};

use super::{Coordinator, POLL_SIGNALS, RunOutcome};
use crate::manager::conclusion::{conclude, record_failure};
use crate::manager::error::ManagerError;
use crate::model::{AttemptEnd, AttemptId, JobStatus, Timestamp, Unit, UnitOutcome, chain, counted};
use crate::recovery::policy::{self, Span};
use crate::store::{Batch, UnitChange};
use crate::sys::{JobLock, SlotNotes};

/// Time beyond `kill_after` in which units must have ended once that was asked for.
pub(super) const END_UNITS: Duration = Duration::from_secs(5);

/// Time in which the end of some unit must have been committed: a database that is busy or full is known before.
pub(super) const COMMIT_TIME: Duration = Duration::from_secs(20);

/// What becomes of the process when units are left: told why it ends.
pub(in crate::manager) type Leave = Box<dyn Fn(ManagerError) + Send>;

/// What a manager lets go of when it leaves units behind.
pub(in crate::manager) struct Held<'a> {
    /// The lock of the job.
    pub lock: &'a mut Option<JobLock>,
    /// Which units run.
    pub notes: &'a SlotNotes,
    /// What becomes of the process.
    pub leave: &'a Leave,
}

impl<'a> Coordinator<'a> {
    /// Has the lock be made again when its file is deleted, and all of it be let go when units are left.
    pub fn set_held(&mut self, held: Held<'a>) {
        self.held = Some(held);
    }
}

impl Coordinator<'_> {
    /// Returns `true` if handlers have not returned, and nothing but that is waited for.
    pub(super) fn may_leave(&self) -> bool {
        // In this order: a unit that ends meanwhile is either in hand still, or committed.
        let in_hand = self.shared.feed.level().in_hand;
        let staying = self.shared.under_way().len();
        staying > 0 && in_hand <= staying
    }

    /// Gives back the units whose handlers do not return, and leaves the job as `end` calls for; none when an end of a unit
    /// is to be committed first. Does not return where the process ends with the handlers.
    pub(super) fn leave_units(&mut self, end: &RunOutcome) -> Result<Option<ManagerError>, ManagerError> {
        let shared = self.shared;
        let mut are_left = shared.hold_recorder();
        if !self.may_leave() {
            return Ok(None);
        }
        let staying = shared.under_way();
        warn!("{} did not return, what they run is given back", counted(staying.len(), "handler"));
        self.give_back(&staying)?;
        let status = conclude(self.store, self.lease, self.flags, self.runner, end, shared.clock.now())?;
        *are_left = true;
        drop(are_left);
        let error = || ManagerError::HandlersStay { job: self.job.id, handlers: staying.len(), status };
        let (returned, told) = (error(), error());
        self.let_go(true, told);
        Ok(Some(returned))
    }

    /// Waits until no attempt is under way any more. When handlers do not return in time, leaves the job as the error calls
    /// for, and does not return where the process ends with them.
    pub(super) fn leave_failed(&mut self, end: Result<RunOutcome, ManagerError>) -> Result<RunOutcome, ManagerError> {
        let asked = Instant::now();
        loop {
            if self.shared.under_way().is_empty() {
                return end;
            }
            if asked.elapsed() > self.job.limits.kill_after + END_UNITS {
                break;
            }
            self.shared.feed.wait_for_change(self.shared.feed.level(), POLL_SIGNALS);
            self.reap_adopted();
        }
        let Some(error) = self.shared.take_error().or(end.err()) else {
            unreachable!("a failed thread leaves its error")
        };
        let error = error.of_file_limit(self.flags);
        let staying = self.shared.under_way();
        error!("{}; {} did not return", chain(&error), counted(staying.len(), "handler"));
        let mut status = JobStatus::Running;
        // Where nothing may be written the notes are not ours either.
        let may_write = !error.is_fenced() && !error.is_passing();
        if may_write {
            let mut are_left = self.shared.hold_recorder();
            if let Err(second) = self.give_back(&staying) {
                error!("cannot give back their units: {}", chain(&second));
            }
            // What goes wrong with that is in the log.
            let _ = record_failure(self.store, self.lease, &error, self.shared.clock.now());
            status = JobStatus::Failed;
            *are_left = true;
        }
        self.let_go(may_write, error);
        Err(ManagerError::HandlersStay { job: self.job.id, handlers: staying.len(), status })
    }

    /// Leaves the job as it would be after the death of this process: the next manager records what the recorder has not.
    /// Does not return where the process ends with that.
    pub(super) fn leave_uncommitted(&mut self, units: usize) -> ManagerError {
        let error = || ManagerError::NotCommitted { units, waited: COMMIT_TIME };
        error!("{}", chain(&error()));
        self.let_go(false, error());
        error()
    }

    /// Records that those attempts were interrupted.
    fn give_back(&mut self, staying: &[AttemptId]) -> Result<(), ManagerError> {
        let now = self.shared.clock.now();
        let running = self.store.running_units(self.lease)?;
        let left = running.into_iter().filter(|unit| staying.iter().any(|attempt| attempt.seq == unit.id.seq()));
        let changes: Vec<UnitChange> = left.map(|unit| self.interrupted(unit, now)).collect();
        self.store.record(
            self.lease,
            &Batch { meters: &self.job.limits.meters, groups: self.job.limits.groups.as_ref(), ..Batch::of(&changes) },
        )?;
        Ok(())
    }

    /// Returns the change for a unit that is left, as its row is.
    fn interrupted(&self, unit: Unit, now: Timestamp) -> UnitChange {
        // The row has counted the attempt that is under way.
        let before = Unit { attempts: unit.attempts.saturating_sub(1), ..unit };
        let span = Span { started_at: now, ended_at: now, slot: None };
        let end =
            AttemptEnd::from(UnitOutcome::Interrupted).metered(policy::metered_of_lost(&before, &self.job.limits));
        let change = policy::ended(&before, end, span, &self.job.limits, self.lease.epoch());
        // The row has that as well.
        UnitChange { started_at: None, ..change }
    }

    /// Lets go of the job, and tells why; notes of units that were given back would count as those of a death.
    fn let_go(&mut self, are_given_back: bool, error: ManagerError) {
        let Some(held) = &mut self.held else { return };
        if are_given_back {
            held.notes.clear();
        }
        // Whoever is told may want to go on with the job at once.
        drop(held.lock.take());
        (held.leave)(error);
    }
}
