//! Becoming the one manager of a job.

use std::time::{Duration, Instant};

use super::error::ManagerError;
use crate::model::{JobFiles, JobId, JobStatus};
use crate::store::Store;
use crate::sys::{JobLock, ProcessVerdict, verify_process};

/// How long the winner of the lock may take to write who it is.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
const RETRY_EVERY: Duration = Duration::from_millis(5);

/// What came of the attempt to become the manager.
pub(super) enum Takeover {
    /// The lock is ours.
    Won(JobLock),
    /// Another process is the manager.
    Already {
        /// Its number; `None` where it cannot be looked at, as in another container.
        pid: Option<u32>,
    },
}

/// Takes the job's lock, or finds out who has it.
///
/// The lock can seem taken while somebody merely looks at it, its winner needs a moment to write who it is, and a
/// manager that was killed or has left the job needs one to let go of it: all of that passes, so that this tries again
/// until one of the two answers is certain.
pub(super) fn take_lock(store: &mut Store, job: JobId, files: &JobFiles) -> Result<Takeover, ManagerError> {
    let started = Instant::now();
    loop {
        let lock = JobLock::try_acquire(&files.lock()).map_err(ManagerError::system("lock the job"))?;
        if let Some(lock) = lock {
            return Ok(Takeover::Won(lock));
        }
        if let Some(record) = store.manager_here(job)? {
            let verdict = verify_process(&record.identity);
            // Asked last: a manager that leaves the job says so before it lets go of the lock.
            let is_run = store.job(job)?.status == JobStatus::Running;
            match verdict {
                ProcessVerdict::Alive if is_run => return Ok(Takeover::Already { pid: Some(record.identity.pid) }),
                // A held lock is all that can be known of it.
                ProcessVerdict::OtherNamespace | ProcessVerdict::Invisible if is_run => {
                    return Ok(Takeover::Already { pid: None });
                }
                _ => {}
            }
        }
        if started.elapsed() > LOCK_TIMEOUT {
            return Err(ManagerError::LockHeld { job, waited: LOCK_TIMEOUT });
        }
        std::thread::sleep(RETRY_EVERY);
    }
}
