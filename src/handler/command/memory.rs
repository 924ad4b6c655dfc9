//! The limit of the memory of attempts: a control group for each, and what its end means.

use std::sync::OnceLock;
use std::time::Duration;

use super::attempt_end::{failed, not_begun};
use crate::handler::{Attempt, JobContext};
use crate::model::{AttemptEnd, Bytes, Cause, Resources, UnitOutcome, chain};
use crate::sys::{MemoryHome, MemoryHomeError, MemoryScope, UnitCommand, opening};

/// Digits of a job's uid that tell its groups from those of other jobs.
const UID_DIGITS: usize = 12;

/// Where the groups of a job are made, once there is one.
pub(super) struct Memory {
    job: String,
    home: OnceLock<MemoryHome>,
}

/// The limit of one attempt.
pub(super) struct Limited {
    scope: MemoryScope,
    size: Bytes,
    is_most: bool,
}

impl Memory {
    /// Finds the place for groups, where the job limits memory.
    pub fn of(job: &JobContext) -> Result<Memory, MemoryHomeError> {
        // The last digits are random.
        let digits = job.uid.len().saturating_sub(UID_DIGITS);
        let memory = Memory { job: job.uid.get(digits..).unwrap_or(&job.uid).to_owned(), home: OnceLock::new() };
        if job.limits.memory.is_some() {
            memory.home()?;
        }
        Ok(memory)
    }

    fn home(&self) -> Result<&MemoryHome, MemoryHomeError> {
        if let Some(home) = self.home.get() {
            return Ok(home);
        }
        let _opening = opening();
        let home = MemoryHome::find()?;
        home.sweep(&self.job);
        Ok(self.home.get_or_init(|| home))
    }

    /// Has the commands of an attempt start in a group with the limit of that attempt; none where there is no limit.
    pub fn limit(
        &self,
        commands: &mut [&mut UnitCommand],
        attempt: &Attempt<'_>,
    ) -> Result<Option<Limited>, Box<AttemptEnd>> {
        let Some(sizes) = attempt.limits.memory else { return Ok(None) };
        let home = self.home().map_err(|error| Box::new(failed(Cause::NotStarted, chain(&error))))?;
        // Nothing is asked for a unit that has never begun.
        let used = attempt.unit.came_back.then(|| attempt.control.killed_with(attempt.unit.id)).flatten();
        let size = sizes.after(used);
        let _opening = opening();
        let scope = home
            .scope(&self.job, attempt.slot, size.0)
            .map_err(|error| Box::new(not_begun("cannot limit its memory", &error)))?;
        commands.iter_mut().for_each(|command| command.group = Some(scope.processes()));
        Ok(Some(Limited { scope, size, is_most: sizes.is_most(size) }))
    }
}

impl Limited {
    /// Adds to what an attempt took what its group says, and says what its end means when the kernel has brought it about.
    pub fn settle(self, outcome: UnitOutcome, took: &mut Resources) -> UnitOutcome {
        let seen = {
            let _opening = opening();
            self.scope.look()
        };
        // A group that somebody has removed says nothing.
        let Ok(seen) = seen else { return outcome };
        let peak = seen.peak.or(seen.was_short.then_some(self.size.0));
        if let Some(peak) = peak.filter(|peak| *peak > 0) {
            (took.peak, took.is_bound) = (peak, false);
        }
        match outcome {
            UnitOutcome::Retry { cause: Cause::Failed | Cause::Killed | Cause::Rejected, .. }
            | UnitOutcome::Failed { cause: Cause::Failed | Cause::Killed | Cause::Rejected, .. }
                if seen.was_short =>
            {
                let error = format!("killed by the kernel: it wanted more than {} of memory", self.size);
                match self.is_most {
                    // The next one would not have more.
                    true => UnitOutcome::Failed { cause: Cause::Killed, error },
                    false => UnitOutcome::Retry { cause: Cause::Killed, error, delay: Some(Duration::ZERO) },
                }
            }
            other => other,
        }
    }
}
