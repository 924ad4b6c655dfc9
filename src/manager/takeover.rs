//! Becoming the one manager of a job.

use std::time::{Duration, Instant};

use super::error::ManagerError;
use crate::model::{JobFiles, JobId};
use crate::store::Store;
use crate::sys::{JobLock, ProcessVerdict, verify_process};

/// How long the winner of the lock may take to write who it is.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
const RETRY_EVERY: Duration = Duration::from_millis(5);

/// What came of the attempt to become the manager.
pub(super) enum Takeover {
    /// The lock is ours.
    Won(JobLock),
    /// That process is the manager.
    Already {
        /// Its number.
        pid: u32,
    },
}

/// Takes the job's lock, or finds out who has it.
///
/// The lock can seem taken while somebody merely looks at it, and its winner needs a moment to write who it is:
/// both pass, so that this tries again until one of the two answers is certain.
pub(super) fn take_over(store: &mut Store, job: JobId, files: &JobFiles) -> Result<Takeover, ManagerError> {
    let started = Instant::now();
    loop {
        let lock = JobLock::try_acquire(&files.lock()).map_err(ManagerError::system("lock the job"))?;
        if let Some(lock) = lock {
            return Ok(Takeover::Won(lock));
        }
        if let Some(record) = store.manager_record(job)?
            && verify_process(&record.identity) == ProcessVerdict::Alive
        {
            return Ok(Takeover::Already { pid: record.identity.pid });
        }
        if started.elapsed() > LOCK_TIMEOUT {
            return Err(ManagerError::LockHeld { job, waited: LOCK_TIMEOUT });
        }
        std::thread::sleep(RETRY_EVERY);
    }
}
