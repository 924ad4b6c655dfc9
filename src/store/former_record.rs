//! What managers of schemas without a table of managers wrote about themselves: texts, of which any may be missing or damaged.
//!
//! Such a database is read as it is; and where a text could not be read when it was brought up to date, it stands here still.

use diesel::prelude::*;

use super::failure::Failure;
use super::metadata::{Texts, damaged};
use super::recorded::{Recorded, is_boot_id, path_of};
use super::schema::jobs;
use crate::model::{
    DatabaseFile, Epoch, Job, JobId, JobStatus, ManagerRecord, ManagerRun, ManagerState, ProcessIdentity, Timestamp,
};

const PID: &str = "manager_pid";

/// Returns what the manager of a job wrote as texts; `None` before the first one.
pub(super) fn recorded(
    conn: &mut SqliteConnection,
    job: JobId,
    texts: &mut Texts,
) -> Result<Option<Recorded>, Failure> {
    let epoch: Option<i64> = jobs::table.find(job.0).select(jobs::epoch).first(conn).optional()?;
    let pid = texts.read(PID, |pid| pid.parse().ok().filter(|pid| (1..=i32::MAX.unsigned_abs()).contains(pid)))?;
    // The first epoch begins with the first record.
    if pid.is_none() && epoch.is_none_or(|epoch| epoch == 0) {
        return Ok(None);
    }
    let missing = |key| move || damaged(job, key, None);
    Ok(Some(Recorded {
        identity: ProcessIdentity {
            pid: pid.ok_or_else(missing(PID))?,
            start_ticks: texts
                .read("manager_start_ticks", |ticks| ticks.parse().ok())?
                .ok_or_else(missing("manager_start_ticks"))?,
            boot_id: texts
                .read("boot_id", |id| is_boot_id(id).then(|| id.to_owned()))?
                .ok_or_else(missing("boot_id"))?,
            host: texts
                .read("host", |host| (!host.is_empty()).then(|| host.to_owned()))?
                .ok_or_else(missing("host"))?,
            namespaces: texts.take("namespaces"),
        },
        database: texts.read("database", DatabaseFile::from_text)?,
        version: texts.take("version").unwrap_or_default(),
        program: texts.take("program").as_deref().map(path_of),
        heartbeat_at: texts.read("heartbeat_at", |at| at.parse().ok().map(Timestamp::from_micros))?,
        rate_per_second: texts.read("rate_per_second", |rate| rate.parse().ok())?,
    }))
}

/// Returns the one manager that such a record tells of.
pub(super) fn run(job: &Job, record: ManagerRecord) -> ManagerRun {
    let runs = job.status == JobStatus::Running;
    ManagerRun {
        number: job.epoch,
        state: if runs { ManagerState::Live } else { ManagerState::Left },
        reason: None,
        host: record.identity.host,
        pid: record.identity.pid.into(),
        version: record.version,
        // The job began with its first manager.
        started_at: job.started_at.filter(|_| job.epoch == Epoch(1)),
        heartbeat_at: record.heartbeat_at,
        ended_at: record.heartbeat_at.filter(|_| !runs),
    }
}
