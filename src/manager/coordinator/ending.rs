//! What a job waits for before its first unit and after its last: another job, an approval, nothing.

use std::slice;

use super::{Coordinator, ReignEnd};
use crate::crash::crash_point;
use crate::manager::error::ManagerError;
use crate::manager::halt::{self, Halt};
use crate::manager::log::log_line;
use crate::manager::patience::patiently;
use crate::model::{JobStatus, StopRequest};
use crate::store::{SameKey, StoreError};

/// How it stands with the job that another one waits for.
pub(super) enum Other {
    Completed,
    Unfinished,
    Hopeless(Halt),
}

impl Coordinator<'_> {
    /// Looks at the job that this one waits for, if there is one.
    pub(super) fn other_job(&mut self) -> Result<Other, ManagerError> {
        let Some(other) = self.job.limits.after.filter(|other| self.waited_for != Some(*other)) else {
            return Ok(Other::Completed);
        };
        let what = match self.store.job(other) {
            Ok(row) if row.status == JobStatus::Completed => {
                self.waited_for = Some(other);
                return Ok(Other::Completed);
            }
            Ok(row) if !row.status.is_terminal() => return Ok(Other::Unfinished),
            Ok(row) => format!("is {}", row.status),
            Err(StoreError::JobNotFound(_)) => "does not exist any more".to_owned(),
            Err(error) => return Err(error.into()),
        };
        Ok(Other::Hopeless(halt::after(other, &what)))
    }

    /// Ends the job whose units have all ended; none when there is something to run again.
    pub(super) fn finish(&mut self) -> Result<Option<ReignEnd>, ManagerError> {
        let progress = self.store.job(self.reign.job)?.progress;
        if progress.unfinished() == 0
            && let Some(last) = self.runner.last_unit(&progress)
            && patiently(self.flags, || {
                self.store.append_units(self.reign.job, slice::from_ref(&last), SameKey::LeaveOut)
            })? > 0
        {
            return Ok(None);
        }
        crash_point!("before-finish");
        let now = self.shared.clock.now();
        if let Some(status) = patiently(self.flags, || self.store.finish_job(self.reign, now))? {
            crash_point!("after-finish");
            return Ok(Some(ReignEnd::Finished(status)));
        }
        // Either the first units have ended and the others wait, or units were added in this very moment.
        match self.job.limits.canary {
            Some(units) => self.halt(halt::canary(units)).map(Some),
            None => Ok(None),
        }
    }

    /// Lets units end as the reason for a halt wants it, and keeps the reason.
    pub(super) fn halt(&mut self, halt: Halt) -> Result<ReignEnd, ManagerError> {
        log_line!("the job halts: {}", halt.reason);
        match self.stop((halt.stop, None))? {
            // Somebody wished for more while units were ending.
            Some(StopRequest::Cancel) => Ok(ReignEnd::Stopped(StopRequest::Cancel)),
            Some(_) => Ok(ReignEnd::Halted(halt)),
            None => Ok(ReignEnd::Failed),
        }
    }
}
