//! Gathering the evidence.

use std::path::Path;
use std::time::Duration;

use crate::model::{DatabaseFile, JobFiles, JobId, LeaseHolder, ManagerRecord, ProcessIdentity, StateDir, Timestamp};
use crate::sys::{LockProbe, ProcessVerdict, is_another, is_in_place, verify_process};

use super::verdict::{Evidence, Health, LeaseSeen, Reason, Writer, judge, judge_all};

/// What can be said about a job's manager at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagerHealth {
    /// Whether one lives, on whichever host.
    pub health: Health,
    /// Whether one lives on this host; of a database that has no leases it is the same.
    pub here: Health,
    /// Its process number, when it lives and is the process on record.
    pub pid: Option<u32>,
    /// What a person should know besides; there is always something when the verdict is unknown.
    pub reason: Option<Reason>,
}

impl ManagerHealth {
    /// Returns `true` unless it is certain that no manager may do anything any more: with its lease it has lost that right.
    pub fn may_run(&self) -> bool {
        match self.health {
            Health::Running => true,
            Health::Unknown => self.reason != Some(Reason::Silent),
            Health::Stopped | Health::NotStarted => false,
        }
    }
}

/// Returns `true` if a manager runs at that place of a database on a server: its host and nobody else's.
pub fn is_at(place: &DatabaseFile, opened: Option<&DatabaseFile>, manager: &ProcessIdentity) -> bool {
    // Another host may have a file of the same number.
    opened.is_some_and(|opened| opened.is_same_file(place)) && verify_process(manager) != ProcessVerdict::OtherHost
}

/// Looks at a job's lock and at the process that the latest manager said it was; and at the leases of those of other hosts,
/// where the database has leases.
///
/// Takes no lock for longer than an instant, writes nothing, signals nobody.
pub fn observe_manager(
    job: JobId,
    record: Option<&ManagerRecord>,
    holders: Option<&[LeaseHolder]>,
    database: &DatabaseFile,
    now: Timestamp,
) -> ManagerHealth {
    match holders {
        None => observe_here(job, record, database, now),
        Some(holders) => observe_hosts(job, record, holders, database),
    }
}

/// Returns `true` if a manager that has not recorded its end ran at that place since the machine has booted, or has no lease any more:
/// before that a machine that was made like this one, and has its name, looks as this one did before it booted.
pub fn is_held_at(place: &DatabaseFile, holder: &LeaseHolder) -> bool {
    is_at(place, holder.database.as_ref(), &holder.identity) && !is_before_boot(holder)
}

/// Returns `true` if a manager has a lease still, which it was given before this machine booted, or on another one of its name.
fn is_before_boot(holder: &LeaseHolder) -> bool {
    holder.is_valid && verify_process(&holder.identity) == ProcessVerdict::HostRebooted
}

fn observe_hosts(
    job: JobId,
    record: Option<&ManagerRecord>,
    holders: &[LeaseHolder],
    database: &DatabaseFile,
) -> ManagerHealth {
    let (here, elsewhere): (Vec<&LeaseHolder>, Vec<&LeaseHolder>) =
        holders.iter().partition(|holder| is_held_at(database, holder));
    let own = record.filter(|record| is_at(database, record.database.as_ref(), &record.identity));
    let writer = own.map(|record| Writer::Process(verify_process(&record.identity)));
    let lock = LockProbe::of(&files_of(job, None, database).lock());
    let silence = here.last().and_then(|holder| holder.run.load.as_ref());
    let heartbeat_age = silence.map(|load| Duration::from_secs(load.silent_s));
    let writer = writer.or(record.map(|_| Writer::OfOtherHost));
    let seen = judge(Evidence { lock, writer, heartbeat_age });
    let lease = match elsewhere.iter().map(|holder| holder.is_valid).max() {
        None => LeaseSeen::None,
        Some(true) => LeaseSeen::Valid,
        Some(false) => LeaseSeen::Ended,
    };
    let (health, reason) = judge_all(seen, lease);
    // So that whoever looks for what the boot has interrupted finds it.
    let is_of_before = |holder: &&LeaseHolder| is_at(database, holder.database.as_ref(), &holder.identity);
    let has_booted = health == Health::Running && seen.0 != Health::Running && elsewhere.iter().any(is_of_before);
    let reason = if has_booted { Some(Reason::HostRebooted) } else { reason };
    let identified = seen.0 == Health::Running && writer == Some(Writer::Process(ProcessVerdict::Alive));
    ManagerHealth { health, here: seen.0, pid: own.filter(|_| identified).map(|own| own.identity.pid), reason }
}

fn observe_here(job: JobId, record: Option<&ManagerRecord>, database: &DatabaseFile, now: Timestamp) -> ManagerHealth {
    let opened = record.and_then(|record| record.database.as_ref());
    let writer = record.map(|record| match opened {
        Some(opened) if is_another(opened, database, Path::new("/")) => Writer::OfOriginal,
        _ => Writer::Process(verify_process(&record.identity)),
    });
    let lock = LockProbe::of(&files_of(job, opened, database).lock());
    let heartbeat_age = record.and_then(|record| record.heartbeat_at).map(|at| now.since(at));
    let (health, reason) = judge(Evidence { lock, writer, heartbeat_age });
    let identified = health == Health::Running && writer == Some(Writer::Process(ProcessVerdict::Alive));
    ManagerHealth { health, here: health, pid: record.filter(|_| identified).map(|record| record.identity.pid), reason }
}

/// Returns the files of a job where its manager has them: beside the name under which it opened the database.
fn files_of(job: JobId, opened: Option<&DatabaseFile>, database: &DatabaseFile) -> JobFiles {
    let opened = opened.filter(|opened| opened.is_same_file(database) && is_in_place(opened, Path::new("/")));
    StateDir::beside(&opened.unwrap_or(database).path).job(job)
}
