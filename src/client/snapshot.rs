//! A job at one moment: what its rows say, whether its manager lives, and what else bears on where it stands.
//!
//! Everything that is shown of a job is rendered from here: its status, why nothing happens, lists, metrics.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::adapted::AdaptedWorkers;
use super::machine::MachineWorkers;
use super::projection::Projection;
use crate::model::{
    GroupsStatus, Job, JobStatus, ManagerRun, ResourcesOfMost, Retrying, Seq, ShownStatus, Spending, Timestamp, Waits,
    spending_of,
};
use crate::status::{Health, Reason};
use crate::sys::Writer;

/// What can be seen of a job at one moment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Snapshot {
    /// Its row.
    pub job: Job,
    /// Whether its manager lives.
    pub health: Health,
    /// The number of that process, while it lives and is the process on record.
    pub pid: Option<u32>,
    /// Its managers that live, of a database that has leases; empty of any other.
    pub managers: Vec<ManagerRun>,
    /// How long a manager that is not heard of keeps its units, of a database that has leases.
    pub lease: Option<Duration>,
    /// The last manager of each other host that has run it, the latest first; not in a page of jobs.
    pub former_managers: Vec<ManagerRun>,
    /// Units that ended per second lately, while it runs.
    pub rate: Option<f64>,
    pub(super) reason: Option<Reason>,
    /// Whether what its manager wrote about itself cannot be read, which `error` says.
    pub(super) is_damaged: bool,
    /// Why the job paused by itself, if it did.
    pub(super) halt_reason: Option<String>,
    /// Whether a signal to its manager paused the job, and nobody's request.
    pub(super) stopped_by_signal: bool,
    /// Whether its manager lets no unit start any more.
    pub(super) is_stopping: bool,
    /// Error of the manager itself.
    pub(super) error: Option<String>,
    pub(super) callback_error: Option<String>,
    pub(super) copied_from: Option<String>,
    pub(super) labels: BTreeMap<String, String>,
    /// What most of its attempts have taken of the machine.
    pub(super) resources: Option<ResourcesOfMost>,
    /// Time since the manager last wrote.
    pub(super) silence: Option<Duration>,
    pub(super) disk_is_full: bool,
    /// Who holds the write lock of the database, while the manager does not write.
    pub(super) writer: Option<Writer>,
    /// When the first unit may run, if all that are left wait for their next attempt.
    pub(super) retry_at: Option<Timestamp>,
    /// Why that unit was postponed, if it was.
    pub(super) postponed: Option<String>,
    /// Its units that failed and wait for another attempt; not in a page of jobs.
    pub retrying: Option<Retrying>,
    /// How many units run at a time, where the job adapts that.
    pub(super) adapted: Option<AdaptedWorkers>,
    /// The unit that has been running for longest, and since when.
    pub(super) oldest: Option<(Seq, Timestamp)>,
    /// What the next start waits for, of the machine or the clock.
    pub(super) waits: Option<Waits>,
    /// The limit over all jobs, if there is one and it may be what the job waits for.
    pub(super) machine: Option<MachineWorkers>,
    /// What its meters have counted.
    pub(super) spending: Vec<Spending>,
    /// Where its groups stand, if it has some.
    pub(super) groups: Option<GroupsStatus>,
    /// The groups that are held down, each with how many of its units run at a time.
    pub(super) adapted_groups: BTreeMap<String, usize>,
    /// What its first units say about the rest, while it waits for somebody to decide about that; not in a page of jobs.
    pub projection: Option<Projection>,
    pub(super) log: PathBuf,
    pub(super) now: Timestamp,
}

impl Snapshot {
    /// Returns the time since its manager last wrote; none while none is on record, and of a database that has leases.
    pub fn silence(&self) -> Option<Duration> {
        self.silence
    }

    /// Returns `true` if the job was left running by a manager that has died.
    pub fn is_interrupted(&self) -> bool {
        is_interrupted(self.job.status, self.health)
    }

    /// Returns `true` if nobody runs the job as far as can be told: of one that cannot be read, nobody can.
    pub(super) fn may_be_over(&self) -> bool {
        match self.health {
            Health::Stopped | Health::NotStarted => true,
            Health::Unknown => self.reason.is_none_or(|reason| reason == Reason::Silent),
            // Others may run it, and this machine did before it booted.
            Health::Running => self.reason == Some(Reason::HostRebooted),
        }
    }

    /// Says which budget for the whole job lets no unit start that is left, if one does.
    pub(super) fn over_budget(&self) -> Option<String> {
        over_budget(&self.job, &self.spending).map(|(_, said)| said)
    }

    /// Says why it cannot be told for certain who runs the job, or whether.
    pub(super) fn reason_in_words(&self) -> Option<String> {
        let latest = self.managers.iter().max_by_key(|run| run.heartbeat_at);
        match (self.reason?, latest.and_then(|run| run.reason.clone())) {
            (Reason::Silent, Some(silent)) => Some(silent),
            (reason, _) => Some(reason.to_string()),
        }
    }

    /// Names the state of the job for people, for whom interrupted is a state of its own; unknown says that nobody can
    /// tell whether the manager lives.
    pub fn word(&self) -> &'static str {
        word(self.job.status, self.health)
    }
}

/// Returns the meter whose budget for the whole job lets none of its units start that are left, and says so; a day's budget is
/// there again on the next day.
pub(super) fn over_budget(job: &Job, spending: &[Spending]) -> Option<(String, String)> {
    if job.progress.pending == 0 {
        return None;
    }
    job.limits.meters.iter().find_map(|meter| {
        let spent = spending_of(spending, meter)?;
        let is_whole = meter.budget.as_ref().is_some_and(|budget| budget.day_zone.is_none());
        let is_spent = is_whole && spent.most_under_way(meter) == 0;
        is_spent.then(|| (meter.name.clone(), spent.over_budget(meter)))
    })
}

/// Returns `true` if a job in that state was left so by a manager of that health.
pub(super) fn is_interrupted(status: JobStatus, health: Health) -> bool {
    status == JobStatus::Running && matches!(health, Health::Stopped | Health::NotStarted)
}

/// Names the state of a job for people.
pub(super) fn word(status: JobStatus, health: Health) -> &'static str {
    match (status, health) {
        _ if is_interrupted(status, health) => ShownStatus::INTERRUPTED,
        (JobStatus::Running, Health::Unknown) => ShownStatus::UNKNOWN,
        (status, _) => status.as_str(),
    }
}
