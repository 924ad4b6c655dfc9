//! What a job waits for before its first unit and after its last: another job, an approval, nothing.

use std::time::{Duration, Instant};

use tracing::warn;

use super::other::Other;
use super::{Coordinator, RunOutcome};
use crate::crash::crash_point;
use crate::manager::error::ManagerError;
use crate::manager::halt::{self, Halt};
use crate::manager::transient::retry_transient;
use crate::model::{JobStatus, Reach, StopRequest};
use crate::store::StoreError;

impl Coordinator<'_> {
    /// Looks at the job that this one waits for, if there is one.
    pub(super) fn other_job(&mut self) -> Result<Other, ManagerError> {
        let Some(other) = self.job.limits.after.filter(|other| self.other_seen.completed != Some(*other)) else {
            return Ok(Other::Completed);
        };
        let now = Instant::now();
        if now < self.other_seen.next_look {
            return Ok(Other::Unfinished);
        }
        self.other_seen.next_look = now + self.store.look_every(false);
        let what = match self.store.job(other) {
            Ok(row) if row.status == JobStatus::Completed => {
                self.other_seen.completed = Some(other);
                return Ok(Other::Completed);
            }
            Ok(row) if !row.status.is_terminal() => return Ok(Other::Unfinished),
            Ok(row) => format!("is {}", row.status),
            Err(StoreError::JobNotFound(_)) => "does not exist any more".to_owned(),
            Err(error) => return Err(error.into()),
        };
        Ok(Other::Hopeless(halt::after(other, &what)))
    }

    /// Ends a job that waits for a time or for another job, if nothing is left of it: what it waits for concerns nobody then. Looked at
    /// again whenever a client has changed the job, and when the last unit in hand has ended.
    pub(super) fn finish_unless_needed(&mut self) -> Result<Option<RunOutcome>, ManagerError> {
        if self.shared.feed.level().in_hand > 0 {
            self.end_looked_for = None;
            return Ok(None);
        }
        if self.end_looked_for.replace(self.job.revision) == Some(self.job.revision) {
            return Ok(None);
        }
        if self.store.job(self.lease.job())?.progress.unfinished() > 0 { Ok(None) } else { self.finish() }
    }

    /// Ends the job whose units have all ended; none when there is something to run again.
    pub(super) fn finish(&mut self) -> Result<Option<RunOutcome>, ManagerError> {
        crash_point!("before-finish");
        let now = self.shared.clock.now();
        let (runner, store, lease) = (self.runner, &mut *self.store, self.lease);
        let finished = retry_transient(self.flags, || store.finish(lease, now, |progress| runner.finalizer(progress)))?;
        if let Some(status) = finished {
            crash_point!("after-finish");
            return Ok(Some(RunOutcome::Finished(status)));
        }
        // Nobody has to approve the last one; while it ran, others may have been added.
        self.finalizer_added = self.store.has_finalizer(self.lease.job())?;
        if let Some(halt) = self.only_flagged()? {
            return self.halt(halt).map(Some);
        }
        let reach = self.reach();
        if reach == Reach::All {
            self.store.refuse_miscounted(self.lease)?;
            return Ok(None);
        }
        // Units were added in this very moment, or those that are left wait for an approval.
        if self.store.is_unfinished(self.lease.job(), &reach)? {
            return Ok(None);
        }
        self.halt(halt::canary(&self.job.limits)).map(Some)
    }

    /// Returns the halt of a job that only lacks decisions about its flagged units before its last unit runs.
    fn only_flagged(&mut self) -> Result<Option<Halt>, ManagerError> {
        let job = self.lease.job();
        if !self.job.limits.hold_flagged || self.finalizer_added || self.store.job(job)?.progress.unfinished() > 0 {
            return Ok(None);
        }
        let undecided = self.store.undecided(job)?;
        Ok((undecided > 0).then(|| halt::flagged(undecided)))
    }

    /// Returns which units may run at present: those of a canary alone before the job is approved, while that matters.
    pub(super) fn reach(&self) -> Reach {
        if self.finalizer_added { Reach::All } else { self.job.limits.reach() }
    }

    /// Stops as somebody wants it. A job whose first units have all ended waits for an approval then: of several managers the one that
    /// saw that first asked the others to stop.
    pub(super) fn stop_as_asked(&mut self, stop: (StopRequest, Option<Duration>)) -> Result<RunOutcome, ManagerError> {
        let Some(stopped) = self.stop(stop, None)? else { return Ok(RunOutcome::Failed) };
        let reach = self.reach();
        if reach != Reach::All
            && self.request.is_some()
            && stopped != StopRequest::Cancel
            && !self.store.is_unfinished(self.lease.job(), &reach)?
        {
            return Ok(RunOutcome::Halted(halt::canary(&self.job.limits)));
        }
        Ok(RunOutcome::Stopped(stopped))
    }

    /// Lets units end as the reason for a halt wants it, and keeps the reason.
    pub(super) fn halt(&mut self, halt: Halt) -> Result<RunOutcome, ManagerError> {
        warn!("the job halts: {}", halt.reason);
        match self.stop((halt.stop, None), Some(&halt))? {
            // Somebody asked for more while units were ending.
            Some(StopRequest::Cancel) => Ok(RunOutcome::Stopped(StopRequest::Cancel)),
            Some(_) => Ok(RunOutcome::Halted(halt)),
            None => Ok(RunOutcome::Failed),
        }
    }
}
