//! Finding jobs by what people call them: number, uid, name, key, the newest.

use diesel::prelude::*;

use super::schema::jobs;
use super::written::may_stand;
use super::{Store, StoreError};
use crate::model::{JobId, JobStatus};

impl Store {
    /// Returns the number of a job that is there, whether or not its row can be read.
    pub fn job_number(&mut self, number: JobId) -> Result<Option<JobId>, StoreError> {
        self.read("look for the job", |conn| {
            let visible = jobs::status.ne(JobStatus::Partial.as_str());
            let found: Option<i64> =
                jobs::table.find(number.0).filter(visible).select(jobs::id).first(conn).optional()?;
            Ok(found.map(JobId))
        })
    }

    /// Returns the number of the newest job, whether or not its row can be read.
    pub fn newest_job(&mut self) -> Result<Option<JobId>, StoreError> {
        self.read("look for the job", |conn| {
            let visible = jobs::table.filter(jobs::status.ne(JobStatus::Partial.as_str()));
            let found: Option<i64> = visible.order(jobs::id.desc()).select(jobs::id).first(conn).optional()?;
            Ok(found.map(JobId))
        })
    }

    /// Returns the jobs, the newest first and at most two, whose uid begins with `prefix`.
    pub fn jobs_by_uid_prefix(&mut self, prefix: &str) -> Result<Vec<JobId>, StoreError> {
        self.read("look for the job", |conn| {
            if !may_stand(conn, prefix) {
                return Ok(Vec::new());
            }
            // A range instead of LIKE: it uses the index on uid, and knows no wildcards.
            let end = format!("{prefix}\u{10ffff}");
            let found: Vec<i64> = jobs::table
                .filter(jobs::uid.ge(prefix).and(jobs::uid.lt(end)))
                .filter(jobs::status.ne(JobStatus::Partial.as_str()))
                .order(jobs::id.desc())
                .limit(2)
                .select(jobs::id)
                .load(conn)?;
            Ok(found.into_iter().map(JobId).collect())
        })
    }

    /// Returns the newest job of that name.
    pub fn newest_job_named(&mut self, name: &str) -> Result<Option<JobId>, StoreError> {
        self.read("look for the job", |conn| {
            if !may_stand(conn, name) {
                return Ok(None);
            }
            let found: Option<i64> = jobs::table
                .filter(jobs::name.eq(name).and(jobs::status.ne(JobStatus::Partial.as_str())))
                .order(jobs::id.desc())
                .select(jobs::id)
                .first(conn)
                .optional()?;
            Ok(found.map(JobId))
        })
    }

    /// Returns the job of that key.
    pub fn job_of_key(&mut self, key: &str) -> Result<Option<JobId>, StoreError> {
        self.read("look for the job", |conn| {
            if !may_stand(conn, key) {
                return Ok(None);
            }
            let found: Option<i64> = jobs::table
                .filter(jobs::key.eq(key).and(jobs::status.ne(JobStatus::Partial.as_str())))
                .select(jobs::id)
                .first(conn)
                .optional()?;
            Ok(found.map(JobId))
        })
    }
}
