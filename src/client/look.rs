//! Looking at a job: its rows, then its manager, so that the two fit.
//!
//! The rows are read in one transaction, and a lock is no part of it: a manager may end, or another begin, between the two
//! looks. That is noticed here and nowhere else. What is returned was true at the time of the look at the manager, or of a
//! later one at the rows: a manager that was seen to live is judged by what it had written by then.

use std::cell::OnceCell;
use std::time::Duration;

use super::adapted::{AdaptedWorkers, adapted_groups};
use super::conditions::{waits_for_budget, waits_for_time};
use super::hosts::living_and_lost;
use super::projection::{KINDS, Projection};
use super::settings::command_settings;
use super::{Client, ClientError, MachineWorkers, Snapshot};
use crate::model::{DatabaseFile, Epoch, FoundJobs, JobFilter, JobId, JobStatus, ShownStatus, Timestamp, Waits};
use crate::status::{Health, ManagerHealth, observe_manager};
use crate::store::{Extent, JobRows, Store, StoreError};
use crate::sys::{Writer, disk_of};

/// Age of a heartbeat that is worth a look at the disk; a manager that can write does so every second.
const SILENCE: Duration = Duration::from_secs(3);
/// Free bytes below which a disk counts as full.
const FULL_BYTES: u64 = 256 * 1024;

impl Client {
    /// Returns what can be seen of a job at this moment, in a time that does not depend on its units.
    ///
    /// Reads the job's row and looks at its lock; signals nobody and writes nothing.
    ///
    /// ```no_run
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// let seen = client.snapshot(client.find_job("last")?)?;
    /// println!("{}: {}", seen.word(), seen.explanation().sentence);
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn snapshot(&self, job: JobId) -> Result<Snapshot, ClientError> {
        let (rows, health) = self.look(job, Extent::Whole)?;
        match PageContext::of(self).snapshot(rows, health) {
            (seen, None) => self.with_retrying(self.with_projection(self.with_former_hosts(seen)?)?),
            (_, Some(fault)) => Err(fault),
        }
    }

    /// Adds the hosts that have run the job and do so no more.
    fn with_former_hosts(&self, mut seen: Snapshot) -> Result<Snapshot, ClientError> {
        // A page of jobs is shown without; and a job that never ran had none.
        if seen.job.epoch > Epoch(0) {
            let former = self.store().former_hosts(seen.job.id)?;
            seen.former_managers.extend(former);
        }
        Ok(seen)
    }

    /// Adds what the first units of a job say about the rest, while it waits for somebody to decide about that.
    fn with_projection(&self, mut seen: Snapshot) -> Result<Snapshot, ClientError> {
        let job = &seen.job;
        if job.status == JobStatus::AwaitingApproval && job.limits.canary.is_some() {
            let ended = self.store().pilot(job.id, &job.limits)?;
            let failures = if job.progress.failed > 0 { self.store().failures(job.id, KINDS)? } else { Vec::new() };
            let spent = seen.spending.iter().map(|spending| (spending.name.clone(), spending.spent));
            let spent: Vec<_> = spent.collect();
            seen.projection = Some(Projection::of(job, &ended, &spent, &failures));
        }
        Ok(seen)
    }

    /// Adds which units failed and wait for another attempt; none of a job that was never started have.
    fn with_retrying(&self, mut seen: Snapshot) -> Result<Snapshot, ClientError> {
        let may_wait = !seen.job.status.is_terminal() && seen.job.progress.pending > 0;
        if may_wait && seen.job.started_at.is_some() {
            seen.retrying = self.store().retrying(seen.job.id)?;
        }
        Ok(seen)
    }

    /// Returns what can be seen of jobs at this moment, the newest first, without their labels and the errors that their
    /// managers left. A manager's record that cannot be read makes that job unknown, and keeps no other one from being shown.
    ///
    /// ```no_run
    /// # use job_manager::model::JobFilter;
    /// # let client = job_manager::Client::open("jobs.db".as_ref())?;
    /// for seen in client.snapshots(&JobFilter::default())?.jobs {
    ///     println!("{} {}", seen.job.id, seen.word());
    /// }
    /// # Ok::<(), job_manager::ClientError>(())
    /// ```
    pub fn snapshots(&self, filter: &JobFilter) -> Result<FoundJobs<Snapshot>, ClientError> {
        self.page(filter, Extent::Running)
    }

    /// Like [`Client::snapshots`], with all that [`Client::snapshot`] has.
    pub(super) fn whole_snapshots(&self, filter: &JobFilter) -> Result<FoundJobs<Snapshot>, ClientError> {
        self.page(filter, Extent::Whole)
    }

    /// Returns the rows of a job and its manager's health.
    pub(super) fn look(&self, job: JobId, extent: Extent) -> Result<(JobRows, ManagerHealth), ClientError> {
        Ok(look(&mut self.store(), job, extent)?)
    }

    fn page(&self, filter: &JobFilter, extent: Extent) -> Result<FoundJobs<Snapshot>, ClientError> {
        // Who is interrupted is known only when the managers have been looked at.
        let mut asked = filter.clone();
        let asks_for_managers = filter.asks_for_managers();
        if asks_for_managers {
            asked.statuses.push(JobStatus::Running);
            asked.limit = None;
        }
        let FoundJobs { jobs, unreadable } = looks(&mut self.store(), &asked, extent)?;
        let context = PageContext::of(self);
        let shown = |(rows, health)| match context.snapshot(rows, health) {
            (seen, None) => seen,
            (seen, Some(fault)) => Snapshot { health: Health::Unknown, error: Some(fault.to_string()), ..seen },
        };
        let mut jobs: Vec<Snapshot> = jobs.into_iter().map(shown).collect();
        if asks_for_managers {
            let is_wanted = |seen: &Snapshot| match seen.word() {
                ShownStatus::INTERRUPTED => filter.interrupted,
                ShownStatus::UNKNOWN => filter.unknown,
                _ => filter.statuses.contains(&seen.job.status),
            };
            let is_wanted =
                |seen: &Snapshot| is_wanted(seen) || (!filter.as_shown && filter.statuses.contains(&seen.job.status));
            jobs.retain(is_wanted);
            jobs.truncate(filter.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX)));
        }
        Ok(FoundJobs { jobs, unreadable })
    }
}

fn look(store: &mut Store, job: JobId, extent: Extent) -> Result<(JobRows, ManagerHealth), StoreError> {
    let read = |store: &mut Store| -> Result<JobRows, StoreError> {
        let rows = store.snapshot(job, extent, Timestamp::now())?;
        Ok(JobRows { record: Ok(rows.record?), ..rows })
    };
    let mut rows = read(store)?;
    loop {
        let health = health_of(store.file(), &rows);
        if rows.version.is_none() || rows.version == Some(store.data_version()?) {
            return Ok((rows, health));
        }
        let again = read(store)?;
        if again.job.epoch == rows.job.epoch {
            return Ok((again, health));
        }
        // Another manager has begun meanwhile: of that one the health says nothing.
        rows = again;
    }
}

fn looks(
    store: &mut Store,
    filter: &JobFilter,
    extent: Extent,
) -> Result<FoundJobs<(JobRows, ManagerHealth)>, StoreError> {
    let FoundJobs { jobs, unreadable } = store.snapshots(filter, extent, Timestamp::now())?;
    let seen = |rows: JobRows| {
        let health = health_of(store.file(), &rows);
        (rows, health)
    };
    let mut jobs: Vec<_> = jobs.into_iter().map(seen).collect();
    let before = jobs.iter().find_map(|(rows, _)| rows.version);
    if before.is_some() && before != Some(store.data_version()?) {
        let is_lost =
            |rows: &JobRows, health: Health| rows.job.status == JobStatus::Running && health == Health::Stopped;
        for lost in jobs.iter_mut().filter(|(rows, seen)| is_lost(rows, seen.health)) {
            match look(store, lost.0.job.id, extent) {
                Ok(found) => *lost = found,
                // Deleted meanwhile: it was there when the page was read.
                Err(StoreError::JobNotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(FoundJobs { jobs, unreadable })
}

/// Looks at the manager of a job, unless the job has ended and its rows do not ask for that: its lock says nothing more then.
fn health_of(database: &DatabaseFile, rows: &JobRows) -> ManagerHealth {
    let job = &rows.job;
    let unseen = |health| ManagerHealth { health, here: health, pid: None, reason: None };
    match &rows.record {
        Err(_) => unseen(Health::Unknown),
        Ok(record) if rows.asks_for_manager => {
            observe_manager(job.id, record.as_ref(), rows.holders.as_deref(), database, Timestamp::now())
        }
        Ok(_) => unseen(if job.epoch > Epoch(0) { Health::Stopped } else { Health::NotStarted }),
    }
}

/// What is looked at besides rows and managers, once for all jobs of a page, and only if one needs it.
struct PageContext<'a> {
    client: &'a Client,
    now: Timestamp,
    disk_is_full: OnceCell<bool>,
    writer: OnceCell<Option<Writer>>,
    machine: OnceCell<MachineWorkers>,
}

impl<'a> PageContext<'a> {
    fn of(client: &'a Client) -> Self {
        let now = Timestamp::now();
        Self { client, now, disk_is_full: OnceCell::new(), writer: OnceCell::new(), machine: OnceCell::new() }
    }

    /// Returns what was seen of a job, and what of it cannot be read.
    fn snapshot(&self, rows: JobRows, seen: ManagerHealth) -> (Snapshot, Option<ClientError>) {
        let JobRows { job, record, holders, spec, texts, units, machine_workers, spending, groups, .. } = rows;
        let (record, damaged) = parted(record);
        let (limit, unreadable) = parted(machine_workers);
        let runs = job.status == JobStatus::Running && seen.health == Health::Running;
        // What no manager could run is not to look as if it only had to be resumed.
        let unfit = || match spec.filter(|_| !runs)? {
            Ok(spec) => command_settings(&job, || Ok(spec)).err(),
            Err(unreadable) => Some(unreadable.into()),
        };
        let is_damaged = damaged.is_some();
        let fault = damaged.or(unreadable).map(ClientError::from).or_else(unfit);
        let on_server = holders.is_some();
        let lease = job.limits.lease_length();
        let (managers, former_managers) =
            living_and_lost(holders.unwrap_or_default(), lease, seen.here, self.client.store().file());
        let silence =
            record.as_ref().filter(|_| !on_server).and_then(|record| record.heartbeat_at).map(|at| self.now.since(at));
        let is_silent = runs && silence.is_some_and(|age| age > SILENCE);
        let record = record.as_ref();
        let adapted = record.filter(|_| runs).map(|record| record.adapted.as_slice()).unwrap_or_default();
        let adapted_groups = adapted_groups(adapted, &managers, &job.limits);
        let groups = groups.map(|groups| groups.with_adapted(&adapted_groups));
        let adapted = AdaptedWorkers::of(adapted, &managers, &job.limits, self.now);
        // A day's budget is there again when the day is over, whatever its manager noted before.
        let is_over = |waits: &Waits| matches!(waits, Waits::Budget { until, .. } if *until <= self.now);
        let noted = || record.and_then(|record| record.waits.clone()).filter(|waits| !is_over(waits));
        let waits = || {
            let of_clock = waits_for_time(&job, self.now).or_else(|| waits_for_budget(&job, &spending, self.now));
            of_clock.or_else(noted)
        };
        let waits = if runs { waits() } else { None };
        let snapshot = Snapshot {
            health: seen.health,
            pid: seen.pid,
            rate: match on_server {
                true => managers.iter().filter_map(|run| run.load.as_ref()?.rate).reduce(|sum, rate| sum + rate),
                false => record.and_then(|record| record.rate_per_second),
            }
            .filter(|_| runs),
            managers,
            lease: on_server.then_some(lease),
            former_managers,
            reason: seen.reason,
            is_damaged,
            halt_reason: record.and_then(|record| record.halt_reason.clone()),
            stopped_by_signal: record.is_some_and(|record| record.stopped_by_signal),
            is_stopping: record.is_some_and(|record| record.stopping.is_some()),
            error: texts.error,
            callback_error: texts.callback_error,
            copied_from: texts.copied_from,
            labels: texts.labels,
            resources: texts.resources.of_most(),
            silence,
            disk_is_full: is_silent && *self.disk_is_full.get_or_init(|| disk_is_full(self.client)),
            writer: if is_silent { self.writer_beside(seen.pid) } else { None },
            retry_at: units.retry_at,
            postponed: units.postponed,
            retrying: None,
            adapted,
            adapted_groups,
            oldest: units.oldest,
            waits,
            machine: limit.map(|limit| *self.machine.get_or_init(|| self.client.permits_taken(limit))),
            spending,
            groups,
            projection: None,
            log: self.client.job_files(job.id).log(),
            now: self.now,
            job,
        };
        (snapshot, fault)
    }

    /// Returns who holds the write lock of the database at this moment, if it is not the manager with that number.
    fn writer_beside(&self, manager: Option<u32>) -> Option<Writer> {
        let writer = self.writer.get_or_init(|| Writer::of(&self.client.path()));
        writer.clone().filter(|writer| Some(writer.pid) != manager)
    }
}

fn parted<T: Default>(read: Result<T, StoreError>) -> (T, Option<StoreError>) {
    match read {
        Ok(read) => (read, None),
        Err(error) => (T::default(), Some(error)),
    }
}

/// Returns `true` if the disk of the database has no space left; one that cannot be looked at is not called full.
fn disk_is_full(client: &Client) -> bool {
    let path = client.path();
    path.parent().is_some_and(|dir| disk_of(dir).is_ok_and(|disk| disk.free_bytes < FULL_BYTES))
}
