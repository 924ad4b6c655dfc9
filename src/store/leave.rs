//! How a manager ends, and in which state it leaves its job.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::columns::Checked;
use super::connection::{BUSY_TIMEOUT, DbConnection, on_server};
use super::create::insert_units;
use super::failure::Failure;
use super::finalizer::{mark_finalizer, skip_retired, without_finalizers};
use super::flags;
use super::jobs::{job_row, lock_job};
use super::lease::Lease;
use super::metadata::{self, key};
use super::same_key::SameKey;
use super::schema::{jobs, metadata as metadata_table};
use super::statement::statement;
use super::{Store, StoreError, manager_writes, postgres};
use crate::model::{JobId, JobStatus, ManagerState, NewUnit, Progress, StopRequest, Timestamp};

/// Why a manager left its job paused.
const ON_REQUEST: &str = "asked to stop";
const BY_SIGNAL: &str = "stopped by a signal";

/// Why a manager leaves its job although units of it are left.
#[derive(Debug, Clone, Copy)]
pub enum Leaving<'a> {
    /// It was stopped: the job is paused. Without a request it was a signal, which is kept: whoever mends what a shutdown
    /// interrupted goes on with the job.
    Stopped,
    /// The job halts by itself: it is paused or waits for an approval, with the reason.
    Halted {
        /// What the job is then.
        status: JobStatus,
        /// Why.
        reason: &'a str,
    },
    /// The job is cancelled, and with it every unit that has not ended.
    Cancelled,
    /// The job fails because of its manager; its units stay as they are, and so does what was asked of them.
    Failed {
        /// What went wrong.
        error: &'a str,
        /// The same with its causes.
        trace: &'a str,
    },
    /// The job stays running by its row, so that the next manager goes on with it.
    Interrupted {
        /// What went wrong.
        error: &'a str,
        /// The same with its causes.
        trace: &'a str,
    },
}

statement! {
    struct Conclude {
        "UPDATE jobs SET stop_request = NULL, stop_grace_ms = NULL, stop_reason = NULL, status = "
            status: &'static str as Text,
        // A clock that was set back ends nothing before its start.
        [", finished_at = max(" ", finished_at = (SELECT greatest(at, coalesce(started_at, 0)) FROM (SELECT "] finished_at: Option<i64> as Nullable<BigInt>,
        [", coalesce(started_at, 0)) WHERE status = 'running' AND id = "
         " AS at) AS given WHERE at IS NOT NULL) WHERE status = 'running' AND id = "] job: i64 as BigInt,
        [" AND epoch = " " AND epoch >= "] epoch: i64 as BigInt,
    }
    ""
}

impl Store {
    /// Notes that no unit starts any more and why, so that nobody is told that the job goes on; what the job becomes
    /// forgets it. A stop must not wait for long: this gives up on a busy database at once.
    pub fn note_stopping(&mut self, lease: Lease, why: &str) -> Result<(), StoreError> {
        self.set_busy_timeout(Duration::from_millis(100))?;
        let noted = self
            .write_under(lease, "note that the job stops", |conn, job| metadata::put(conn, job.id, key::STOPPING, why));
        self.set_busy_timeout(BUSY_TIMEOUT)?;
        noted
    }

    /// Ends a lease with units left, and returns what the job is then: one that was to be paused is cancelled if somebody
    /// requested that in the last moment.
    pub fn leave(&mut self, lease: Lease, why: Leaving<'_>, now: Timestamp) -> Result<JobStatus, StoreError> {
        let operation = match why {
            Leaving::Stopped | Leaving::Halted { .. } => "pause the job",
            Leaving::Cancelled => "cancel the job",
            Leaving::Failed { .. } => "fail the job",
            Leaving::Interrupted { .. } => "note why the job is left",
        };
        self.write_under(lease, operation, |conn, job| leave_in(conn, lease, job.stop_request, why, now))
    }

    /// Ends the lease on a job whose units have all ended: moves the job to its final state, and returns that.
    ///
    /// Returns `None` when there is something to run: units were added in the meantime, or `last` named the unit that the
    /// job ends with, which is added now unless the job has it already. That one is not added while results are held that somebody has to accept.
    pub fn finish(
        &mut self,
        lease: Lease,
        now: Timestamp,
        last: impl Fn(&Progress) -> Option<NewUnit>,
    ) -> Result<Option<JobStatus>, StoreError> {
        self.write_under(lease, "finish the job", |conn, job| {
            if job.progress.unfinished() > 0 {
                return Ok(None);
            }
            skip_retired(conn, job.id, now)?;
            let job = job_row(conn, lease.job)?;
            if let Some(last) = last(&without_finalizers(conn, job.id, job.progress)?) {
                // What it may see has to be decided first.
                if job.limits.hold_flagged && flags::undecided(conn, job.id)? > 0 {
                    return Ok(None);
                }
                if insert_units(conn, lease.job, &[last], SameKey::LeaveOut)? > 0 {
                    mark_finalizer(conn, lease.job)?;
                    return Ok(None);
                }
            }
            let status = job.progress.final_status();
            conclude(conn, lease, status, (ManagerState::Left, status.as_str()), now)?;
            Ok(Some(status))
        })
    }

    /// Keeps what went wrong in a callback of the service. The job was left before that, and a later manager has errors of
    /// its own.
    pub fn put_callback_error(&mut self, lease: Lease, message: &str) -> Result<(), StoreError> {
        self.write("record the panic of a callback", |conn| {
            let job = lock_job(conn, lease.job)?;
            let is_over = if on_server(conn) { postgres::was_followed(conn, lease)? } else { job.epoch != lease.epoch };
            if is_over { Ok(()) } else { metadata::put(conn, job.id, key::CALLBACK_ERROR, message) }
        })
    }
}

/// Leaves a job that has not ended.
fn leave_in(
    conn: &mut DbConnection,
    lease: Lease,
    request: Option<StopRequest>,
    why: Leaving<'_>,
    now: Timestamp,
) -> Result<JobStatus, Failure> {
    match why {
        _ if on_server(conn) && postgres::others_go_on(conn, lease)? => step_back(conn, lease, request, why, now),
        Leaving::Cancelled => cancel(conn, lease, now),
        Leaving::Stopped | Leaving::Halted { .. } if request == Some(StopRequest::Cancel) => cancel(conn, lease, now),
        Leaving::Stopped => {
            let reason = if request.is_none() { BY_SIGNAL } else { ON_REQUEST };
            conclude(conn, lease, JobStatus::Paused, (ManagerState::Left, reason), now)?;
            if request.is_none() {
                metadata::put(conn, lease.job, key::STOPPED_BY_SIGNAL, "true")?;
            }
            Ok(JobStatus::Paused)
        }
        Leaving::Halted { status, reason } => {
            conclude(conn, lease, status, (ManagerState::Left, reason), now)?;
            metadata::put(conn, lease.job, key::HALT_REASON, reason)?;
            Ok(status)
        }
        Leaving::Failed { error, trace } => {
            conclude(conn, lease, JobStatus::Failed, (ManagerState::Refused, error), now)?;
            put_error(conn, lease.job, error, trace)?;
            Ok(JobStatus::Failed)
        }
        Leaving::Interrupted { error, trace } => {
            manager_writes::end(conn, lease, ManagerState::Refused, error, now)?;
            put_error(conn, lease.job, error, trace)?;
            Ok(JobStatus::Running)
        }
    }
}

/// Leaves a job to its other managers: what the job becomes is the last one's business.
fn step_back(
    conn: &mut DbConnection,
    lease: Lease,
    request: Option<StopRequest>,
    why: Leaving<'_>,
    now: Timestamp,
) -> Result<JobStatus, Failure> {
    let (state, reason) = match why {
        Leaving::Stopped => (ManagerState::Left, BY_SIGNAL),
        Leaving::Cancelled => (ManagerState::Left, "the job is cancelled"),
        Leaving::Halted { reason, .. } => (ManagerState::Left, reason),
        Leaving::Failed { error, .. } | Leaving::Interrupted { error, .. } => (ManagerState::Refused, error),
    };
    if let Leaving::Halted { reason, .. } = why {
        // The job halts with all of them.
        metadata::put(conn, lease.job, key::HALT_REASON, reason)?;
        if request.is_none() {
            super::stop_requests::ask(conn, lease.job, StopRequest::Stop, None, Some(reason))?;
        }
    }
    // Others let units start.
    diesel::delete(metadata_table::table.find((lease.job.0, key::STOPPING))).execute(conn)?;
    manager_writes::end(conn, lease, state, reason, now)?;
    Ok(JobStatus::Running)
}

fn cancel(conn: &mut DbConnection, lease: Lease, now: Timestamp) -> Result<JobStatus, Failure> {
    let reason: Option<Checked<String>> = jobs::table.find(lease.job.0).select(jobs::stop_reason).first(conn)?;
    let reason = reason.as_ref().map_or("the job was cancelled", Checked::shown);
    super::steer::cancel_unfinished(conn, lease.job, reason, now)?;
    conclude(conn, lease, JobStatus::Cancelled, (ManagerState::Left, reason), now)?;
    Ok(JobStatus::Cancelled)
}

fn put_error(conn: &mut DbConnection, job: JobId, error: &str, trace: &str) -> Result<(), Failure> {
    metadata::put(conn, job, key::ERROR, error)?;
    metadata::put(conn, job, key::ERROR_TRACE, trace)
}

/// Leaves a job in a state, and says how its manager ended.
fn conclude(
    conn: &mut DbConnection,
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
        return Err(lease.fenced().into());
    }
    manager_writes::end(conn, lease, state, reason, now)?;
    // Of a job that failed with its manager units may be under way yet.
    if status.is_terminal() && job_row(conn, lease.job)?.progress.unfinished() == 0 {
        super::kills::forget(conn, lease.job)?;
    }
    Ok(())
}
