//! Changes of a job's limits by a client, which a running manager takes up.

use diesel::prelude::*;

use super::connection::on_server;
use super::feed::put_first;
use super::jobs::lock_job;
use super::schema::jobs;
use super::{Store, StoreError, postgres};
use crate::model::{JobId, JobStatus, Limits};

impl Store {
    /// Changes the limits of a job that has not ended and returns what they are then.
    ///
    /// # Errors
    /// [`StoreError::WrongStatus`] when it has ended.
    pub fn change_limits(&mut self, job: JobId, mut change: impl FnMut(&mut Limits)) -> Result<Limits, StoreError> {
        self.write("change the limits of the job", |conn| {
            let row = lock_job(conn, job)?;
            if row.status.is_terminal() {
                return Err(StoreError::WrongStatus { operation: "change", job, status: row.status }.into());
            }
            let mut limits = row.limits;
            change(&mut limits);
            let json = serde_json::to_string(&limits).expect("limits are numbers and words");
            diesel::update(jobs::table.find(job.0))
                .set((jobs::limits.eq(json), jobs::revision.eq(jobs::revision + 1)))
                .execute(conn)?;
            Ok(limits)
        })
    }

    /// Lets a job that waits for an approval go on within other limits: units that have been chosen come first.
    ///
    /// # Errors
    /// [`StoreError::WrongStatus`] when it waits no more, because somebody else has decided.
    pub fn approve(&mut self, job: JobId, mut change: impl FnMut(&mut Limits)) -> Result<(), StoreError> {
        self.write("approve the job", |conn| {
            let row = lock_job(conn, job)?;
            if row.status != JobStatus::AwaitingApproval {
                return Err(StoreError::WrongStatus { operation: "approve", job, status: row.status }.into());
            }
            let mut limits = row.limits;
            change(&mut limits);
            put_first(conn, job, &limits)?;
            if on_server(conn) {
                postgres::drop_ahead(conn, job)?;
            }
            let json = serde_json::to_string(&limits).expect("limits are numbers and words");
            diesel::update(jobs::table.find(job.0))
                .set((jobs::limits.eq(json), jobs::revision.eq(jobs::revision + 1)))
                .execute(conn)?;
            Ok(())
        })
    }
}
