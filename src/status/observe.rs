//! Gathering the evidence.

use std::path::Path;

use crate::model::{DatabaseFile, JobFiles, JobId, ManagerRecord, StateDir, Timestamp};
use crate::sys::{LockProbe, ProcessVerdict, is_another, is_in_place, verify_process};

use super::verdict::{Evidence, Health, Reason, Writer, judge};

/// What can be said about a job's manager at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagerHealth {
    /// Whether it lives.
    pub health: Health,
    /// Its process number, when it lives and is the process on record.
    pub pid: Option<u32>,
    /// What a person should know besides; there is always something when the verdict is unknown.
    pub reason: Option<Reason>,
}

/// Looks at a job's lock and at the process that the latest manager said it was.
///
/// Takes no lock for longer than an instant, writes nothing, signals nobody.
pub fn observe_manager(
    job: JobId,
    record: Option<&ManagerRecord>,
    database: &DatabaseFile,
    now: Timestamp,
) -> ManagerHealth {
    let opened = record.and_then(|record| record.database.as_ref());
    let writer = record.map(|record| match opened {
        Some(opened) if is_another(opened, database, Path::new("/")) => Writer::OfOriginal,
        _ => Writer::Process(verify_process(&record.identity)),
    });
    let lock = LockProbe::of(&files_of(job, opened, database).lock());
    let heartbeat_age = record.and_then(|record| record.heartbeat_at).map(|at| now.since(at));
    let (health, reason) = judge(Evidence { lock, writer, heartbeat_age });
    let identified = health == Health::Running && writer == Some(Writer::Process(ProcessVerdict::Alive));
    ManagerHealth { health, pid: record.filter(|_| identified).map(|record| record.identity.pid), reason }
}

/// Returns the files of a job where its manager has them: beside the name under which it opened the database.
fn files_of(job: JobId, opened: Option<&DatabaseFile>, database: &DatabaseFile) -> JobFiles {
    let opened = opened.filter(|opened| opened.is_same_file(database) && is_in_place(opened, Path::new("/")));
    StateDir::beside(&opened.unwrap_or(database).path).job(job)
}
