//! Changes of a job's limits by a client, which a running manager takes up.

use diesel::prelude::*;

use super::jobs::lock_job;
use super::schema::jobs;
use super::{Store, StoreError};
use crate::model::{JobId, Limits};

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
}
