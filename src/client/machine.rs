//! The limit over all jobs of a database.

use serde::Serialize;

use super::{Client, ClientError, LimitError};
use crate::model::Limits;
use crate::sys::LockProbe;

/// How many units of all jobs may run at the same time, and how many places for them are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct MachineWorkers {
    /// Most units.
    pub limit: usize,
    /// Places that managers have.
    pub taken: usize,
}

impl MachineWorkers {
    /// Returns `true` if no further unit can start.
    pub fn are_taken(self) -> bool {
        self.taken >= self.limit
    }
}

impl Client {
    /// Limits how many units of all jobs of this database together run at the same time, or ends that limit.
    ///
    /// Running managers take it up within a fraction of a second; no unit is interrupted, so that a lower limit is
    /// reached as units end. Managers share the places fairly: those that wait get as many as the others. It is a limit
    /// of one machine, because it is kept by locks on files beside the database; what a dead manager left running is
    /// not counted until it is ended. A unit that waits for units of another job keeps its place meanwhile: where jobs start
    /// jobs and wait for them, the limit must be larger than the number of those that wait.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// client.set_machine_workers(Some(8))?;
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    ///
    /// # Errors
    /// When it is 0 or larger than any job's number of workers may be; nothing is changed then.
    pub fn set_machine_workers(&self, limit: Option<usize>) -> Result<(), ClientError> {
        if let Some(given) = limit.filter(|limit| !(1..=Limits::MAX_WORKERS).contains(limit)) {
            return Err(LimitError::WorkersOutOfRange { given, max: Limits::MAX_WORKERS }.into());
        }
        Ok(self.store().set_machine_workers(limit)?)
    }

    /// Returns that limit and how far it is used up; none when there is no limit.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// if let Some(workers) = client.machine_workers()? {
    ///     println!("{} of {} places are taken", workers.taken, workers.limit);
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn machine_workers(&self) -> Result<Option<MachineWorkers>, ClientError> {
        let limit = self.store().machine_workers()?;
        Ok(limit.map(|limit| self.permits_taken(limit)))
    }

    /// Looks how far a limit over all jobs is used up.
    pub(super) fn permits_taken(&self, limit: usize) -> MachineWorkers {
        let is_taken = |permit: &usize| matches!(LockProbe::of(&self.state.permit(*permit)), LockProbe::Held);
        MachineWorkers { limit, taken: (0..limit).filter(is_taken).count() }
    }
}
