//! The lease of a manager over a job: from the epoch it raises to the state it leaves.

use std::path::Path;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::clock_step::{self, SMALL_STEP};
use super::columns::Checked;
use super::connection::BUSY_TIMEOUT;
use super::create::{SameKey, insert_units};
use super::failure::Failure;
use super::fence::{Lease, expect_lease};
use super::finalizer::{mark_finalizer, skip_retired, without_finalizers};
use super::jobs::{job_row, lock_job};
use super::metadata::{self, key};
use super::schema::{jobs, metadata as metadata_table};
use super::statement::statement;
use super::{Store, StoreError, former, managers};
use crate::model::{
    Epoch, Job, JobId, JobStatus, ManagerState, NewUnit, ProcessIdentity, Progress, StopRequest, Timestamp,
};

/// Why a manager left its job paused.
const ON_REQUEST: &str = "asked to stop";
const BY_SIGNAL: &str = "stopped by a signal";

statement! {
    struct Conclude {
        "UPDATE jobs SET stop_request = NULL, stop_grace_ms = NULL, stop_reason = NULL, status = "
            status: &'static str as Text,
        // A clock that was set back ends nothing before its start.
        ", finished_at = max(" finished_at: Option<i64> as Nullable<BigInt>,
        ", coalesce(started_at, 0)) WHERE status = 'running' AND id = " job: i64 as BigInt,
        " AND epoch = " epoch: i64 as BigInt,
    }
    ""
}

impl Store {
    /// Begins a lease: raises the epoch, moves the job to running, and writes who the manager is.
    ///
    /// Only the holder of the job's lock may call it. Every later write of an earlier manager fails with
    /// [`StoreError::Fenced`].
    ///
    /// # Errors
    /// [`StoreError::WrongStatus`] when the job has ended.
    pub fn acquire_lease(
        &mut self,
        job: JobId,
        manager: &ProcessIdentity,
        program: &Path,
        now: Timestamp,
    ) -> Result<(Lease, Job), StoreError> {
        let database = self.file.clone();
        self.write("take over the job", |conn| {
            super::migrate::refuse_newer(conn, &database.path)?;
            let before = lock_job(conn, job)?;
            let ended = before.status.is_terminal() && before.progress.unfinished() == 0;
            if ended || !(before.status == JobStatus::Running || before.status.can_become(JobStatus::Running)) {
                return Err(StoreError::WrongStatus { operation: "run", job, status: before.status }.into());
            }
            let epoch = Epoch(before.epoch.0 + 1);
            diesel::update(jobs::table.find(job.0))
                .set((
                    jobs::epoch.eq(epoch.0),
                    jobs::status.eq(JobStatus::Running.as_str()),
                    jobs::started_at.eq(before.started_at.unwrap_or(now).as_micros()),
                    jobs::finished_at.eq(None::<i64>),
                ))
                .execute(conn)?;
            let lease = Lease { job, epoch };
            if let Some(former) = managers::latest(conn, job)? {
                // The manager before this one cannot have lived in the future: the clock has been set back since.
                let step = Timestamp::from_micros(former.heartbeat_at).since(now);
                if step > SMALL_STEP {
                    clock_step::shift(conn, job, step, now)?;
                }
                former::remember(conn, job, former.database, &database)?;
            }
            managers::begin(conn, lease, manager, &database, program, now)?;
            Ok((lease, job_row(conn, job)?))
        })
    }

    /// Notes that no unit starts any more and why, so that nobody is told that the job goes on; what the job becomes
    /// forgets it. A stop must not wait for long: this gives up on a busy database at once.
    pub fn note_stopping(&mut self, lease: Lease, why: &str) -> Result<(), StoreError> {
        self.set_busy_timeout(Duration::from_millis(100))?;
        let noted = self.write("note that the job stops", |conn| {
            expect_lease(conn, lease)?;
            metadata::put(conn, lease.job, key::STOPPING, why)
        });
        self.set_busy_timeout(BUSY_TIMEOUT)?;
        noted
    }

    /// Raises the epoch of a job that seems to have no manager, before somebody else writes for it: a manager that
    /// lives after all has no say any more, and ends its units.
    pub fn supersede_manager(&mut self, job: JobId) -> Result<(), StoreError> {
        self.write("take the job from its manager", |conn| {
            // One that never had a manager has none to supersede.
            diesel::update(jobs::table.find(job.0).filter(jobs::epoch.gt(0)))
                .set(jobs::epoch.eq(jobs::epoch + 1))
                .execute(conn)?;
            managers::lose(conn, job)
        })
    }

    /// Moves a job whose lease this is to paused; a stop request is fulfilled with it. Without one it was a signal, which
    /// is kept: whoever mends what a shutdown interrupted goes on with the job. Returns what the job is then: whoever
    /// requested in the last moment that it be cancelled has that.
    pub fn pause_job(&mut self, lease: Lease, now: Timestamp) -> Result<JobStatus, StoreError> {
        self.write("pause the job", |conn| {
            let request = expect_lease(conn, lease)?.stop_request;
            if request == Some(StopRequest::Cancel) {
                return cancel(conn, lease, now);
            }
            let reason = if request.is_none() { BY_SIGNAL } else { ON_REQUEST };
            conclude(conn, lease, JobStatus::Paused, (ManagerState::Left, reason), now)?;
            if request.is_none() {
                metadata::put(conn, lease.job, key::STOPPED_BY_SIGNAL, "true")?;
            }
            Ok(JobStatus::Paused)
        })
    }

    /// Moves a job whose units have all ended to its final state, and returns that.
    ///
    /// Returns `None` when there is something to run: units were added in the meantime, or `last` named the unit that the
    /// job ends with, which is added now unless the job has it already.
    pub fn finish_job(
        &mut self,
        lease: Lease,
        now: Timestamp,
        last: impl FnOnce(&Progress) -> Option<NewUnit>,
    ) -> Result<Option<JobStatus>, StoreError> {
        self.write("finish the job", |conn| {
            let job = expect_lease(conn, lease)?;
            if job.progress.unfinished() > 0 {
                return Ok(None);
            }
            skip_retired(conn, job.id, now)?;
            let job = job_row(conn, lease.job)?;
            if let Some(last) = last(&without_finalizers(conn, job.id, job.progress)?)
                && insert_units(conn, lease.job, &[last], SameKey::LeaveOut)? > 0
            {
                mark_finalizer(conn, lease.job)?;
                return Ok(None);
            }
            let status = job.progress.final_status();
            conclude(conn, lease, status, (ManagerState::Left, status.as_str()), now)?;
            Ok(Some(status))
        })
    }

    /// Moves a job to failed because of its manager, with the reason; its units stay as they are, and so does what was asked
    /// of them.
    pub fn fail_job(&mut self, lease: Lease, error: &str, trace: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write("fail the job", |conn| {
            expect_lease(conn, lease)?;
            conclude(conn, lease, JobStatus::Failed, (ManagerState::Refused, error), now)?;
            put_error(conn, lease.job, error, trace)
        })
    }

    /// Notes why a manager leaves a job that stays running by its row, so that the next one goes on with it.
    pub fn note_error(&mut self, lease: Lease, error: &str, trace: &str, now: Timestamp) -> Result<(), StoreError> {
        self.write("note why the job is left", |conn| {
            expect_lease(conn, lease)?;
            managers::end(conn, lease, ManagerState::Refused, error, now)?;
            put_error(conn, lease.job, error, trace)
        })
    }

    /// Keeps what went wrong in a callback of the service.
    pub fn put_callback_error(&mut self, lease: Lease, message: &str) -> Result<(), StoreError> {
        self.write("record the panic of a callback", |conn| {
            // The lock is free by now: a later manager has errors of its own.
            if lock_job(conn, lease.job)?.epoch != lease.epoch {
                return Ok(());
            }
            metadata::put(conn, lease.job, key::CALLBACK_ERROR, message)
        })
    }

    /// Moves a job that halts by itself to paused or to waiting for an approval, with the reason, and returns what it is
    /// then, as [`Store::pause_job`].
    pub fn halt_job(
        &mut self,
        lease: Lease,
        status: JobStatus,
        reason: &str,
        now: Timestamp,
    ) -> Result<JobStatus, StoreError> {
        self.write("pause the job", |conn| {
            if expect_lease(conn, lease)?.stop_request == Some(StopRequest::Cancel) {
                return cancel(conn, lease, now);
            }
            conclude(conn, lease, status, (ManagerState::Left, reason), now)?;
            metadata::put(conn, lease.job, key::HALT_REASON, reason)?;
            Ok(status)
        })
    }

    /// Cancels every unit that has not ended, and the job.
    pub fn cancel_job(&mut self, lease: Lease, now: Timestamp) -> Result<JobStatus, StoreError> {
        self.write("cancel the job", |conn| {
            expect_lease(conn, lease)?;
            cancel(conn, lease, now)
        })
    }
}

fn cancel(conn: &mut SqliteConnection, lease: Lease, now: Timestamp) -> Result<JobStatus, Failure> {
    let reason: Option<Checked<String>> = jobs::table.find(lease.job.0).select(jobs::stop_reason).first(conn)?;
    let reason = reason.as_ref().map_or("the job was cancelled", Checked::shown);
    super::steer::cancel_unfinished(conn, lease.job, reason, now)?;
    conclude(conn, lease, JobStatus::Cancelled, (ManagerState::Left, reason), now)?;
    Ok(JobStatus::Cancelled)
}

fn put_error(conn: &mut SqliteConnection, job: JobId, error: &str, trace: &str) -> Result<(), Failure> {
    metadata::put(conn, job, key::ERROR, error)?;
    metadata::put(conn, job, key::ERROR_TRACE, trace)
}

/// Leaves a job in a state, and says how its manager ended.
fn conclude(
    conn: &mut SqliteConnection,
    lease: Lease,
    status: JobStatus,
    (state, reason): (ManagerState, &str),
    now: Timestamp,
) -> Result<(), Failure> {
    let changed = Conclude {
        status: status.as_str(),
        finished_at: status.is_terminal().then_some(now.as_micros()),
        job: lease.job.0,
        epoch: lease.epoch.0,
    }
    .execute(conn)?;
    diesel::delete(metadata_table::table.find((lease.job.0, key::STOPPING))).execute(conn)?;
    if changed == 0 {
        return Err(StoreError::Fenced { job: lease.job, epoch: lease.epoch }.into());
    }
    managers::end(conn, lease, state, reason, now)?;
    // Of a job that failed with its manager units may be under way yet.
    if status.is_terminal() && job_row(conn, lease.job)?.progress.unfinished() == 0 {
        super::kills::forget(conn, lease.job)?;
    }
    Ok(())
}
