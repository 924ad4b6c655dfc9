//! The settings of the handlers of jobs, as JSON. They are long, never change, and are read by whoever runs or describes a job:
//! they stand beside the rows of jobs, which everybody reads.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::columns::Checked;
use super::connection::DbConnection;
use super::failure::Failure;
use super::open::UserVersion;
use super::schema::specs;
use super::statement::statement;
use super::{Store, StoreError};
use crate::model::{JobId, Row, Unreadable};

/// The schema from which on they have a table of their own.
const FIRST_WITH_SPECS: i32 = 8;

statement! {
    struct Specs {
        ["SELECT job_id, spec FROM json_each(" "SELECT job_id, spec FROM json_array_elements_text(("]
            jobs: String as Text,
    }
    [") AS job CROSS JOIN specs ON job_id = job.value" ")::json) AS job JOIN specs ON job_id = job.value::bigint"] -> (BigInt, Text)
}

statement! {
    struct FormerSpecs {
        "SELECT jobs.id, spec FROM json_each("
            jobs: String as Text,
    }
    ") AS job CROSS JOIN jobs ON jobs.id = job.value" -> (BigInt, Text)
}

impl Store {
    /// Returns the settings of a job's handler, as JSON.
    pub fn spec(&mut self, job: JobId) -> Result<String, StoreError> {
        self.read("read the job's settings", |conn| spec_of(conn, job))
    }
}

/// Returns the settings of a job's handler.
pub(super) fn spec_of(conn: &mut DbConnection, job: JobId) -> Result<String, Failure> {
    let found = specs_of(conn, &[job])?.remove(&job);
    Ok(found.ok_or(StoreError::JobNotFound(job))??)
}

/// Returns the settings of the handlers of some jobs.
pub(super) fn specs_of(
    conn: &mut DbConnection,
    jobs: &[JobId],
) -> Result<HashMap<JobId, Result<String, Unreadable>>, Failure> {
    if jobs.is_empty() {
        return Ok(HashMap::new());
    }
    let schema: i32 = UserVersion {}.get_result(conn)?;
    let rows: Vec<(i64, Checked<String>)> = match jobs {
        _ if schema < FIRST_WITH_SPECS => FormerSpecs { jobs: numbers(jobs) }.load(conn)?,
        // An array costs as much as a look at five jobs.
        [job] => specs::table.find(job.0).load(conn)?,
        jobs => Specs { jobs: numbers(jobs) }.load(conn)?,
    };
    Ok(rows.into_iter().map(|(job, spec)| (JobId(job), spec.of(Row::Job(JobId(job)), "spec"))).collect())
}

/// Returns the numbers of jobs as an array for `json_each`.
pub(super) fn numbers(jobs: &[JobId]) -> String {
    format!("[{}]", jobs.iter().map(|job| job.0.to_string()).collect::<Vec<_>>().join(","))
}
