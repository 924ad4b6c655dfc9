//! Requests to stop, which clients leave for managers.

use std::time::Duration;

use diesel::prelude::*;

use super::connection::DbConnection;
use super::failure::Failure;
use super::jobs::lock_job;
use super::schema::jobs;
use super::written::kept;
use super::{Store, StoreError};
use crate::model::{Job, JobId, JobStatus, StopRequest};

impl Store {
    /// Leaves a request for the manager of a job; a stronger request is never weakened by a later one.
    ///
    /// Returns false when the job is not running by its row, so that nobody would fulfil the request.
    pub fn request_stop(
        &mut self,
        job: JobId,
        request: StopRequest,
        grace: Option<Duration>,
        reason: Option<&str>,
    ) -> Result<bool, StoreError> {
        self.write("ask the manager to stop", |conn| {
            let row = lock_job(conn, job)?;
            if row.status != JobStatus::Running {
                return Ok(false);
            }
            let stronger = row.stop_request.is_none_or(|standing| strength(request) >= strength(standing));
            if stronger {
                ask(conn, job, request, grace, reason)?;
            }
            Ok(true)
        })
    }

    /// Takes down that a job is to be cancelled, whether a manager runs it or not; one that stands already is kept.
    pub fn request_cancel(&mut self, job: JobId, reason: &str) -> Result<(), StoreError> {
        self.write("take down that the job is to be cancelled", |conn| {
            let row = lock_job(conn, job)?;
            if !row.status.can_become(JobStatus::Cancelled) {
                return Err(StoreError::WrongStatus { operation: "cancel", job, status: row.status }.into());
            }
            match row.stop_request {
                Some(StopRequest::Cancel) => Ok(()),
                _ => ask(conn, job, StopRequest::Cancel, None, Some(reason)),
            }
        })
    }

    /// Withdraws a request that a manager left unfulfilled when it died, as the job was read; one that came since stays.
    pub fn withdraw_stop_request(&mut self, read: &Job) -> Result<(), StoreError> {
        self.write("withdraw the stop request", |conn| {
            let row = jobs::table.find(read.id.0).filter(jobs::epoch.eq(read.epoch.0));
            diesel::update(row.filter(jobs::stop_request.eq(read.stop_request.map(StopRequest::as_str))))
                .set((
                    jobs::stop_request.eq(None::<&str>),
                    jobs::stop_grace_ms.eq(None::<i64>),
                    jobs::stop_reason.eq(None::<&str>),
                ))
                .execute(conn)?;
            Ok(())
        })
    }
}

/// Writes a request into the row of its job, which the caller has locked.
pub(super) fn ask(
    conn: &mut DbConnection,
    job: JobId,
    request: StopRequest,
    grace: Option<Duration>,
    reason: Option<&str>,
) -> Result<(), Failure> {
    let grace_ms = grace.map(|grace| i64::try_from(grace.as_millis()).unwrap_or(i64::MAX));
    diesel::update(jobs::table.find(job.0))
        .set((
            jobs::stop_request.eq(request.as_str()),
            jobs::stop_grace_ms.eq(grace_ms),
            jobs::stop_reason.eq(reason.map(|reason| kept(conn, reason))),
            jobs::revision.eq(jobs::revision + 1),
        ))
        .execute(conn)?;
    Ok(())
}

/// Orders requests: a job that is to be cancelled is not merely paused.
const fn strength(request: StopRequest) -> u8 {
    match request {
        StopRequest::Stop => 0,
        StopRequest::StopNow => 1,
        StopRequest::Cancel => 2,
    }
}
