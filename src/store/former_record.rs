//! What managers of schemas without a table of managers wrote about themselves: texts, of which any may be missing or damaged.
//!
//! Such a database is read as it is; and where a text could not be read when it was brought up to date, it stands here still.

use std::str::FromStr;

use diesel::prelude::*;

use super::columns::Word;
use super::connection::DbConnection;
use super::failure::Failure;
use super::manager_row::ManagerRow;
use super::metadata::Texts;
use super::schema::jobs;
use crate::model::{JobId, JobStatus, ManagerState};

/// Returns what the manager of a job wrote as texts, as the row that it would be; `None` before the first one.
pub(super) fn former_row(
    conn: &mut DbConnection,
    job: JobId,
    texts: &mut Texts,
) -> Result<Option<ManagerRow>, Failure> {
    let of_job = jobs::table.find(job.0).select((jobs::epoch, jobs::status, jobs::started_at));
    let found: Option<(i64, String, Option<i64>)> = of_job.first(conn).optional()?;
    let Some((epoch, status, started_at)) = found else { return Ok(None) };
    // The first epoch begins with the first record.
    if epoch == 0 && !texts.has("manager_pid") {
        return Ok(None);
    }
    let runs = status == JobStatus::Running.as_str();
    let pid = texts.required("manager_pid", parsed)?;
    let heartbeat_at = texts.required("heartbeat_at", parsed)?;
    Ok(Some(ManagerRow {
        job_id: job.0,
        number: epoch,
        state: Word(if runs { ManagerState::Live } else { ManagerState::Left }),
        reason: None,
        pid,
        start_ticks: texts.required("manager_start_ticks", parsed)?,
        boot_id: texts.required("boot_id", parsed)?,
        host: texts.required("host", parsed)?,
        namespaces: texts.take("namespaces"),
        database: texts.take("database"),
        version: texts.take("version").unwrap_or_default(),
        program: texts.take("program"),
        rate: texts.read("rate_per_second", parsed)?,
        heartbeat_at,
        started_at: started_at.filter(|_| epoch == 1),
        ended_at: (!runs).then_some(heartbeat_at),
    }))
}

fn parsed<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}
