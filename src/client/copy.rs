//! Copying a job into another database.

use std::path::Path;

use super::lease::check_lease;
use super::{Client, ClientError, CopyError};
use crate::crash::crash_point;
use crate::model::{Job, JobId, JobStatus, Timestamp};
use crate::store::{Access, CopiedPart, CopyRefused, PartialCopy, Store, StoreError, is_on_server};
use crate::sys::SharedLock;

/// What becomes of a job that is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopySource {
    /// It stays as it is: both can be run, and then both run what is left.
    Keep,
    /// What is left of it is cancelled, and runs in the copy only. Units that may run at most once can be retried there only.
    Cancel,
}

/// A copy of a job in another database.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Copied {
    /// Its number there.
    pub job: JobId,
    /// Its uid.
    pub uid: String,
    /// How many units it has.
    pub units: i64,
    /// Whether the job that was copied has been cancelled.
    pub source_cancelled: bool,
}

impl Client {
    /// Copies a job that is not running into the database at `into`, which is made if there is none.
    ///
    /// The copy has the units in their present states, their attempts, results and output as far as it is in the database, and
    /// the history of the job's managers. It has a uid of its own and names that of the job; it waits for no other job.
    ///
    /// The copy is there as a whole or not at all, whenever this process dies. When it dies while the job moves
    /// ([`CopySource::Cancel`]), the job may have been cancelled before the copy can be seen: a second call shows it. Of
    /// two processes that copy the same job at the same time one is refused, and so is whoever starts it meanwhile.
    ///
    /// # Errors
    /// When the database is somebody else's, or the job is running, was interrupted, has moved, or is kept and may run its units
    /// at most once; when the other database has a copy of it or a job of its key. Nothing is left there then.
    ///
    /// ```no_run
    /// # use job_manager::client::{Client, CopySource};
    /// let client = Client::open("jobs.db".as_ref())?;
    /// let copied = client.copy_job(client.find_job("photos")?, "photos.db".as_ref(), CopySource::Keep)?;
    /// println!("job {} has {} units", copied.job, copied.units);
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn copy_job(&self, job: JobId, into: &Path, source: CopySource) -> Result<Copied, ClientError> {
        // What runs in the copy runs as whoever owns that.
        self.refuse_other_owner()?;
        let _lock = self.lock_idle_job(job, "copy")?;
        // Read under the lock: nothing begins to run it from here on.
        let row = self.job(job)?;
        if row.status == JobStatus::Running || row.progress.running > 0 {
            return Err(ClientError::Interrupted { job });
        }
        self.refuse_two_of(&row, source)?;
        if is_on_server(into) {
            check_lease(into, &row.limits)?;
        }
        let into = Client::create(into)?;
        let own = self.store().file().clone();
        if own.is_same_file(into.store().file()) {
            return Err(CopyError::SameDatabase { path: own.path }.into());
        }
        let moved = self.store().moved_to(job)?;
        let held = moved.map_or(Ok(None), |uid| into.store().held_copy(&uid))?;
        if let Some(held) = held {
            return into.show(&held, row.status == JobStatus::Cancelled);
        }
        self.refuse_moved(job)?;
        into.sweep_partial_jobs()?;
        let lock_path = into.state.partial_lock();
        let _partial = SharedLock::acquire(&lock_path).map_err(ClientError::files("lock", &lock_path))?;
        // Of a copy that died before this job was cancelled: under the job's lock there is no other.
        let leftovers = into.store().partial_copies(&row.uid)?;
        into.store().sweep_jobs(&leftovers)?;

        let mut begun = None;
        let copied = read_into(&own.path, job, &into, &mut begun).and_then(|copy| {
            if copy.revision != row.revision {
                return Err(CopyRefused::ChangedMeanwhile { job }.into());
            }
            if source == CopySource::Keep {
                return Ok((copy, false));
            }
            into.store().hold_copy(&copy)?;
            crash_point!("copy-held");
            let reason = format!("moved to {} as job {}", into.path().display(), copy.uid);
            let is_cancelled = self.store().leave_to_copy(job, &copy, &reason, Timestamp::now())?;
            crash_point!("source-cancelled");
            Ok((copy, is_cancelled))
        });
        match (copied, begun) {
            (Ok((copy, is_cancelled)), _) => into.show(&copy, is_cancelled),
            (Err(error), None) => Err(error.into()),
            (Err(error), Some(begun)) => {
                // What happened counts; what cannot be swept now is swept by the next creation.
                let _ = into.store().sweep_jobs(&[begun.job]);
                Err(error.into())
            }
        }
    }

    /// Refuses to make two jobs of one whose units may run once, or of one that waits for another.
    fn refuse_two_of(&self, row: &Job, source: CopySource) -> Result<(), ClientError> {
        if row.limits.is_at_most_once() && source == CopySource::Keep {
            return Err(CopyError::WouldRepeat { job: row.id }.into());
        }
        let waits = row.started_at.is_none() && row.progress.unfinished() > 0;
        match row.limits.after {
            Some(other) if waits && self.job(other)?.status != JobStatus::Completed => {
                Err(CopyError::WaitsForJob { job: row.id, other }.into())
            }
            _ => Ok(()),
        }
    }

    /// Refuses to have units run here that may run at most once and have moved to a copy.
    pub(super) fn refuse_moved(&self, job: JobId) -> Result<(), ClientError> {
        let uid = self.store().moved_to(job)?;
        match uid.filter(|_| self.job(job).is_ok_and(|row| row.limits.is_at_most_once())) {
            Some(uid) => Err(CopyError::Moved { job, uid }.into()),
            None => Ok(()),
        }
    }

    fn show(&self, copy: &PartialCopy, source_cancelled: bool) -> Result<Copied, ClientError> {
        self.store().show_copy(copy)?;
        Ok(Copied { job: copy.job, uid: copy.uid.clone(), units: copy.units, source_cancelled })
    }
}

/// Writes all of a job, read on one snapshot, into another database.
fn read_into(
    path: &Path,
    job: JobId,
    into: &Client,
    begun: &mut Option<PartialCopy>,
) -> Result<PartialCopy, StoreError> {
    // On a connection of its own: other threads go on with both clients.
    Store::open(path, Access::Read)?.read_to_copy(job, |part| {
        match (part, begun.as_ref()) {
            (CopiedPart::Job(of), _) => *begun = Some(into.store().begin_copy(*of)?),
            (CopiedPart::Units(page), Some(copy)) => into.store().add_copied(copy, page)?,
            (CopiedPart::Units(_), None) => unreachable!("the job is the first part"),
        }
        crash_point!("copy-part");
        Ok(())
    })?;
    begun.clone().ok_or(StoreError::JobNotFound(job))
}
