//! How a manager begins: it joins its job, or takes over from those that are gone.

use std::path::Path;

use diesel::prelude::*;
use uuid::Uuid;

use super::clock_step::{self, SMALL_STEP};
use super::connection::on_server;
use super::jobs::{job_row, lock_job};
use super::lease::Lease;
use super::postgres::Here;
use super::schema::jobs;
use super::{Store, StoreError, former, manager_writes, managers};
use crate::model::{Epoch, Job, JobId, JobStatus, OnHostLoss, ProcessIdentity, Timestamp};

impl Store {
    /// Adds a manager to a job: raises the epoch, moves the job to running, and writes who the manager is.
    ///
    /// Only the holder of the job's lock may call it: as there is one manager, it takes over from those before it. Every later
    /// write of an earlier one fails with [`StoreError::Fenced`].
    ///
    /// # Errors
    /// [`StoreError::WrongStatus`] when the job has ended.
    pub fn join(
        &mut self,
        job: JobId,
        manager: &ProcessIdentity,
        program: &Path,
        now: Timestamp,
    ) -> Result<(Lease, Job), StoreError> {
        self.join_from(JobStatus::ALL, job, manager, program, now)
    }

    /// Adds a manager to a job as [`Store::join`] does, unless the job was stopped, or waits for somebody, by now: nobody has asked for it
    /// to go on.
    pub fn join_share(
        &mut self,
        job: JobId,
        manager: &ProcessIdentity,
        program: &Path,
        now: Timestamp,
    ) -> Result<(Lease, Job), StoreError> {
        self.join_from(&[JobStatus::Created, JobStatus::Running], job, manager, program, now)
    }

    fn join_from(
        &mut self,
        from: &[JobStatus],
        job: JobId,
        manager: &ProcessIdentity,
        program: &Path,
        now: Timestamp,
    ) -> Result<(Lease, Job), StoreError> {
        let database = self.file.clone();
        self.write("take over the job", |conn| {
            super::migrate::refuse_newer(conn, &database.path)?;
            let before = lock_job(conn, job)?;
            let ended = before.status.is_terminal() && before.progress.unfinished() == 0;
            let ended = ended || !from.contains(&before.status);
            if ended || !(before.status == JobStatus::Running || before.status.can_become(JobStatus::Running)) {
                return Err(StoreError::WrongStatus { operation: "run", job, status: before.status }.into());
            }
            let epoch = Epoch(before.epoch.0 + 1);
            diesel::update(jobs::table.find(job.0))
                .set((
                    jobs::epoch.eq(epoch.0),
                    jobs::status.eq(JobStatus::Running.as_str()),
                    jobs::started_at.eq(before.started_at.unwrap_or(now).as_micros()),
                    jobs::finished_at.eq(None::<i64>),
                ))
                .execute(conn)?;
            let lease = Lease { job, epoch, manager: Uuid::now_v7() };
            if on_server(conn) && before.status != JobStatus::Running {
                super::postgres::count_failures_again(conn, job)?;
            }
            if before.limits.groups.is_some() && before.status != JobStatus::Running {
                super::groups::begin_again(conn, job)?;
            }
            // A server has one clock, which its hosts follow, and a name of its own, wherever its files lie.
            if let Some(former) = managers::latest(conn, job)?.filter(|_| !on_server(conn)) {
                // The manager before this one cannot have lived in the future: the clock has been set back since.
                let step = Timestamp::from_micros(former.heartbeat_at).since(now);
                if step > SMALL_STEP {
                    clock_step::shift(conn, &before, step, now)?;
                }
                former::remember(conn, job, former.database, &database)?;
            }
            manager_writes::begin(conn, lease, manager, &database, program, &before.limits, now)?;
            Ok((lease, job_row(conn, job)?))
        })
    }

    /// Notes that a job with several managers cannot run where the caller is, and why.
    pub fn refuse_here(
        &mut self,
        job: JobId,
        who: &ProcessIdentity,
        program: &Path,
        why: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let database = self.file.clone();
        if !on_server(&mut self.conn) {
            return Ok(());
        }
        self.write("note why the job does not run here", |conn| {
            let epoch = Epoch(lock_job(conn, job)?.epoch.0 + 1);
            diesel::update(jobs::table.find(job.0)).set(jobs::epoch.eq(epoch.0)).execute(conn)?;
            let lease = Lease { job, epoch, manager: Uuid::now_v7() };
            manager_writes::refuse(conn, lease, who, &database, program, why, now)
        })
    }

    /// Takes a job from managers that seem to be gone and have not recorded their end, and returns the lease under which the caller,
    /// who holds the job's lock, writes in their place.
    ///
    /// A manager that is alive after all writes nothing any more, and ends its units. The lease names no row, because nobody runs
    /// the job.
    ///
    /// # Errors
    /// [`StoreError::ManagedElsewhere`] while a manager of another host has a lease.
    pub fn take_over(&mut self, job: JobId, who: &ProcessIdentity) -> Result<Lease, StoreError> {
        let place = self.file.to_text();
        let here = Here { database: &place, host: who };
        self.write("take the job from its manager", |conn| {
            let row = lock_job(conn, job)?;
            let (Epoch(before), on_loss) = (row.epoch, row.limits.on_host_loss);
            // One that never had a manager has none to supersede.
            let epoch = if before > 0 { before + 1 } else { before };
            diesel::update(jobs::table.find(job.0)).set(jobs::epoch.eq(epoch)).execute(conn)?;
            if on_server(conn) {
                super::postgres::lose_here(conn, job, here, on_loss)?;
                if super::postgres::is_held(conn, job)? {
                    return Err(StoreError::ManagedElsewhere { job }.into());
                }
            }
            manager_writes::lose(conn, job)?;
            if on_server(conn) {
                match on_loss {
                    OnHostLoss::Retry => super::postgres::give_all_back(conn, job)?,
                    OnHostLoss::Wait => super::postgres::give_back_here(conn, job, here)?,
                }
            }
            Ok(Lease { job, epoch: Epoch(epoch), manager: Uuid::nil() })
        })
    }
}
