//! Looking for what could hurt jobs on this machine.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

pub use super::finding::{Finding, Remedy, Severity};
use super::{Client, ClientError, containment, kept_environment};
use crate::model::{FoundJobs, Job, JobFilter, JobId, JobStatus, Limits, Row, Unreadable};
use crate::status::Health;
use crate::store::StoreError;
use crate::sys::{self, LockProbe, OPEN_FILES_BESIDE_UNITS, OPEN_FILES_PER_UNIT};

/// Free space below which a warning is given.
const LITTLE_SPACE_BYTES: u64 = 1 << 30;
/// Time that no transaction of ours takes.
const LONG_WRITE: Duration = Duration::from_millis(500);
/// Size of the write-ahead log above which somebody keeps it from shrinking.
const LARGE_LOG_BYTES: u64 = 64 << 20;

/// Looks at the database, its disk and the limits of this process; changes nothing.
///
/// ```no_run
/// for finding in job_manager::doctor::examine("jobs.db".as_ref()) {
///     println!("{}: {}", finding.about, finding.message);
/// }
/// ```
pub fn examine(db: &Path) -> Vec<Finding> {
    let opened = Client::open_to_read(db);
    let mut findings = vec![database(db, &opened)];
    findings.extend(disk(db));
    findings.extend(log(db));
    findings.extend(writer(db));
    findings.extend(limits());
    findings.push(containment::cgroup_finding());
    findings.extend(containment::linger_finding());
    if let Ok(client) = opened {
        let found = client.jobs(&JobFilter::default()).unwrap_or_default();
        findings.extend(jobs(&client, &found));
        findings.extend(unreadable_jobs(&client, &found));
        findings.extend(unstarted(&client));
        findings.extend(kept_environment::findings(&client, &found.jobs));
        findings.extend(machine_workers(&client));
        findings.push(orphans(&client, &found.jobs));
    }
    findings
}

fn finding(severity: Severity, about: &'static str, message: String) -> Finding {
    Finding { severity, about, message, remedy: None }
}

impl Finding {
    fn with(self, remedy: Remedy) -> Finding {
        Finding { remedy: Some(remedy), ..self }
    }
}

fn database(db: &Path, opened: &Result<Client, ClientError>) -> Finding {
    let of = |severity, message| finding(severity, "database", message);
    match opened {
        Ok(client) => match client.store().integrity() {
            Ok((version, true)) => of(Severity::Ok, format!("{} is sound, SQLite {version}", db.display())),
            Ok((_, false)) => {
                of(Severity::Error, format!("{} is damaged, salvage it with `sqlite3 FILE .recover`", db.display()))
            }
            Err(error) => of(Severity::Error, error.to_string()),
        },
        Err(ClientError::Store(StoreError::NoDatabase { path })) => {
            of(Severity::Ok, format!("none yet at {}", path.display()))
        }
        Err(ClientError::Store(error)) if error.is_no_database() => of(Severity::Ok, error.to_string()),
        Err(error) => of(Severity::Error, error.to_string()),
    }
}

fn disk(db: &Path) -> Option<Finding> {
    let dir = db.ancestors().skip(1).find(|dir| dir.is_dir()).unwrap_or(Path::new("."));
    let disk = match sys::disk_of(dir) {
        Ok(disk) => disk,
        Err(error) => {
            return Some(finding(Severity::Warning, "disk", format!("cannot look at {}: {error}", dir.display())));
        }
    };
    let free_mib = disk.free_bytes >> 20;
    Some(match disk.shared {
        Some(kind) => finding(
            Severity::Error,
            "disk",
            format!("{} is on {kind}, where SQLite's locks cannot be relied on", dir.display()),
        ),
        None if disk.free_bytes < LITTLE_SPACE_BYTES => {
            finding(Severity::Warning, "disk", format!("only {free_mib} MiB are free"))
        }
        None => finding(Severity::Ok, "disk", format!("{free_mib} MiB are free")),
    })
}

/// Looks at the write-ahead log, which grows without bound while a reader holds an old snapshot.
fn log(db: &Path) -> Option<Finding> {
    let mut name = db.as_os_str().to_owned();
    name.push("-wal");
    let bytes = std::fs::metadata(name).ok()?.len();
    let size = format!("{} MiB of changes wait to be moved into the database", bytes >> 20);
    Some(if bytes < LARGE_LOG_BYTES {
        finding(Severity::Ok, "log", size)
    } else {
        finding(
            Severity::Warning,
            "log",
            format!("{size}: some process has been reading for long, end its transaction"),
        )
    })
}

/// Looks for somebody who holds the write lock for longer than any of ours does.
fn writer(db: &Path) -> Option<Finding> {
    let first = sys::Writer::of(db)?;
    std::thread::sleep(LONG_WRITE);
    let writer = sys::Writer::of(db).filter(|writer| *writer == first)?;
    let message = format!(
        "{writer} holds the write lock of the database, and all managers wait for it: a `sqlite3` shell lets go with COMMIT \
         or ROLLBACK"
    );
    Some(finding(Severity::Warning, "writer", message))
}

fn limits() -> Option<Finding> {
    let limit = sys::most_open_files().ok()?;
    let workers = limit.saturating_sub(OPEN_FILES_BESIDE_UNITS) / OPEN_FILES_PER_UNIT;
    let severity = if workers < Limits::default().workers as u64 * 2 { Severity::Warning } else { Severity::Ok };
    Some(finding(severity, "limits", format!("{limit} open files allow about {workers} command units at a time")))
}

/// Looks for processes that dead managers left behind: they hold the locks of their slots.
fn orphans(client: &Client, jobs: &[Job]) -> Finding {
    let has_orphans = |job: &Job| {
        let slots = std::fs::read_dir(client.job_files(job.id).slots());
        let mut held = slots.into_iter().flatten().filter_map(Result::ok).map(|slot| LockProbe::of(&slot.path()));
        // A manager that lives answers for its units itself; it is asked last, because most jobs hold nothing.
        held.any(|lock| matches!(lock, LockProbe::Held))
            && client.manager_health(job.id).is_ok_and(|health| health.here == Health::Stopped)
    };
    let found: Vec<String> = jobs.iter().filter(|job| has_orphans(job)).map(|job| job.id.to_string()).collect();
    if let Some(strays) = strays(client, jobs) {
        return strays;
    }
    if found.is_empty() {
        return finding(Severity::Ok, "orphans", "no process is left behind by a dead manager".to_owned());
    }
    let message = format!("processes of units live on without a manager, of job {}", found.join(", "));
    finding(Severity::Warning, "orphans", message).with(Remedy::EndOrphans)
}

/// Names processes that an original left behind of which this database is a copy, and which is gone.
fn strays(client: &Client, jobs: &[Job]) -> Option<Finding> {
    let ids: HashMap<&str, JobId> = jobs.iter().map(|job| (job.uid.as_str(), job.id)).collect();
    let database = client.store().file().clone();
    let mut found = sys::strays(|uid| ids.get(uid).copied(), &database).ok()?;
    found.retain(|(job, _)| client.manager_health(*job).is_ok_and(|health| health.health != Health::Running));
    let named = |(job, stray): &(JobId, sys::Stray)| format!("{} (of unit {job}:{})", stray.pid, stray.unit);
    (!found.is_empty()).then(|| {
        let message = format!(
            "processes live on of an original that is gone, of which this is a copy, of job {}: {}",
            found[0].0,
            found.iter().map(named).collect::<Vec<_>>().join(", ")
        );
        finding(Severity::Warning, "orphans", message).with(Remedy::EndStrays)
    })
}

/// Says how many units may run over all jobs, and how many places for them are taken.
fn machine_workers(client: &Client) -> Option<Finding> {
    let message = match client.machine_workers() {
        Err(error @ ClientError::Store(StoreError::Unreadable(_))) => {
            return Some(finding(Severity::Error, "workers", error.to_string()).with(Remedy::LimitMachineAgain));
        }
        Err(_) => return None,
        Ok(None) => {
            let message = "no limit over all jobs".to_owned();
            return Some(finding(Severity::Ok, "workers", message).with(Remedy::LimitMachine));
        }
        Ok(Some(workers)) => format!("limit over all jobs: {}, places taken: {}", workers.limit, workers.taken),
    };
    Some(finding(Severity::Ok, "workers", message))
}

/// Names the jobs that cannot be read: no verb but `rm` can work on them, or none can run them.
fn unreadable_jobs(client: &Client, found: &FoundJobs) -> Vec<Finding> {
    let FoundJobs { jobs, unreadable } = found;
    let unfit = jobs.iter().filter(|job| !job.status.is_terminal()).filter_map(|job| {
        let settings = client.command_settings(job).map(drop);
        let creation = || Ok(client.store().creation(job.id).map(drop)?);
        let submitter = || Ok(client.store().submitter(job.id).map(drop)?);
        settings.and_then(|()| creation()).and_then(|()| submitter()).err()
    });
    let errors = unreadable.iter().cloned().map(|found| StoreError::from(found).into()).chain(unfit);
    let named = |error: ClientError| match (finding(Severity::Error, "jobs", error.to_string()), &error) {
        (named, ClientError::Store(StoreError::Unreadable(Unreadable { row: Row::Job(job), .. }))) => {
            named.with(Remedy::Delete(*job))
        }
        (named, _) => named,
    };
    errors.map(named).collect()
}

fn jobs(client: &Client, found: &FoundJobs) -> Option<Finding> {
    let is_readable = |job: &JobId| found.unreadable.iter().all(|other| other.job() != Some(*job));
    let interrupted = client.interrupted_jobs().ok()?.into_iter().filter(is_readable);
    let interrupted: Vec<String> = interrupted.map(|job| job.to_string()).collect();
    let running = found.jobs.iter().filter(|job| job.status == JobStatus::Running).count();
    Some(if interrupted.is_empty() {
        finding(Severity::Ok, "jobs", format!("{running} running, none interrupted"))
    } else {
        finding(Severity::Warning, "jobs", format!("interrupted: {}", interrupted.join(", "))).with(Remedy::Continue)
    })
}

/// Names jobs that nobody has started: whoever created them may have died before, or holds them back.
fn unstarted(client: &Client) -> Option<Finding> {
    let jobs: Vec<String> = client.unstarted_jobs().ok()?.iter().map(JobId::to_string).collect();
    Some(if jobs.is_empty() {
        finding(Severity::Ok, "unstarted", "every job was started".to_owned())
    } else {
        let message = format!("created and never started: {}", jobs.join(", "));
        finding(Severity::Warning, "unstarted", message).with(Remedy::StartOrDelete)
    })
}
