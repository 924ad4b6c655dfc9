//! Gathering the evidence.

use crate::model::{JobFiles, ManagerRecord, Timestamp};
use crate::sys::{LockProbe, ProcessVerdict, verify_process};

use super::verdict::{Evidence, Health, LockState, Reason, judge};

/// What can be said about a job's manager at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagerHealth {
    /// Whether it lives.
    pub health: Health,
    /// Its process number, when it lives and is the process on record.
    pub pid: Option<u32>,
    /// What a person should know besides.
    pub reason: Option<Reason>,
}

/// Looks at a job's lock and at the process that the latest manager said it was.
///
/// Takes no lock for longer than an instant, writes nothing, signals nobody.
pub fn observe_manager(record: Option<&ManagerRecord>, files: &JobFiles, now: Timestamp) -> ManagerHealth {
    let lock = match LockProbe::of(&files.lock()) {
        LockProbe::Held => LockState::Held,
        LockProbe::Free => LockState::Free,
        LockProbe::Unknown => LockState::Unknown,
    };
    let process = record.map(|record| verify_process(&record.identity));
    let heartbeat_age = record.and_then(|record| record.heartbeat_at).map(|at| now.since(at));
    let (health, reason) = judge(Evidence { lock, process, heartbeat_age });
    let identified = health == Health::Running && process == Some(ProcessVerdict::Alive);
    ManagerHealth { health, pid: record.filter(|_| identified).map(|record| record.identity.pid), reason }
}
