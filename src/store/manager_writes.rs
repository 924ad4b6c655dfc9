//! What is written about managers: that one begins, lives, and how it ended.

mod adapted;
mod resources;

use std::path::Path;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double};

use super::connection::{DbConnection, on_server};
use super::failure::Failure;
use super::lease::Lease;
use super::schema::managers;
use super::statement::statement;
use super::tallies::add_deaths;
use super::written::kept;
use super::{metadata, postgres};
use crate::model::{DatabaseFile, Heartbeat, JobId, Limits, ManagerState, ProcessIdentity, RawText, Timestamp};

pub(super) use adapted::{adapted_in, put_adapted};
pub(super) use resources::{add_resources, resources_in};

statement! {
    struct Beat {
        "UPDATE managers SET heartbeat_at = "
            at: i64 as BigInt,
        ", workers = " workers: i64 as BigInt,
        ", running = " running: i64 as BigInt,
        ", rate = " rate: f64 as Double,
        " WHERE state = 'live' AND job_id = " job: i64 as BigInt,
        " AND number = " number: i64 as BigInt,
    }
    ""
}

/// Adds the row of a lease's manager; the one before is lost if it has not recorded its end. The lease is that long, where there are leases.
pub(super) fn begin(
    conn: &mut DbConnection,
    lease: Lease,
    manager: &ProcessIdentity,
    database: &DatabaseFile,
    program: &Path,
    limits: &Limits,
    now: Timestamp,
) -> Result<(), Failure> {
    let place = database.to_text();
    let here = postgres::Here { database: &place, host: manager };
    match on_server(conn) {
        true => postgres::lose_here(conn, lease.job, here, limits.on_host_loss)?,
        false => lose(conn, lease.job)?,
    }
    // What others have written of the job stands while they go on with it.
    if !on_server(conn) || !postgres::others_go_on(conn, lease)? {
        metadata::forget_manager(conn, lease.job)?;
    }
    add(conn, lease, manager, database, program, (ManagerState::Live, None), now)?;
    if !on_server(conn) {
        return Ok(());
    }
    if postgres::renew(conn, lease, postgres::lease_length(limits))?.is_none() {
        return Err(lease.fenced().into());
    }
    postgres::adopt(conn, lease, here)
}

/// Adds the row of a manager that cannot run the job where it is. No process stands for it.
pub(super) fn refuse(
    conn: &mut DbConnection,
    lease: Lease,
    who: &ProcessIdentity,
    database: &DatabaseFile,
    program: &Path,
    why: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let nobody = ProcessIdentity { start_ticks: 0, ..who.clone() };
    add(conn, lease, &nobody, database, program, (ManagerState::Refused, Some(why)), now)
}

fn add(
    conn: &mut DbConnection,
    lease: Lease,
    manager: &ProcessIdentity,
    database: &DatabaseFile,
    program: &Path,
    (state, reason): (ManagerState, Option<&str>),
    now: Timestamp,
) -> Result<(), Failure> {
    diesel::insert_into(managers::table)
        .values((
            managers::job_id.eq(lease.job.0),
            managers::number.eq(lease.epoch.0),
            managers::uid.eq(lease.manager.to_string()),
            managers::state.eq(state.as_str()),
            managers::host.eq(&manager.host),
            managers::boot_id.eq(&manager.boot_id),
            managers::pid.eq(i64::from(manager.pid)),
            managers::start_ticks.eq(i64::try_from(manager.start_ticks).unwrap_or(i64::MAX)),
            managers::namespaces.eq(&manager.namespaces),
            managers::database.eq(database.to_text()),
            managers::version.eq(env!("CARGO_PKG_VERSION")),
            managers::program.eq(RawText::from(program.as_os_str()).to_column()),
            managers::reason.eq(reason.map(|reason| kept(conn, reason))),
            managers::heartbeat_at.eq(now.as_micros()),
            managers::started_at.eq(now.as_micros()),
            managers::ended_at.eq((state != ManagerState::Live).then_some(now.as_micros())),
        ))
        .execute(conn)?;
    Ok(())
}

/// Writes a heartbeat.
pub(super) fn beat(conn: &mut DbConnection, lease: Lease, heartbeat: &Heartbeat) -> Result<(), Failure> {
    if on_server(conn) {
        return postgres::beat(conn, lease, heartbeat);
    }
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let (at, rate) = (heartbeat.at.as_micros(), heartbeat.rate_per_second);
    let (workers, running) = (count(heartbeat.workers), count(heartbeat.running));
    Beat { at, workers, running, rate, job: lease.job.0, number: lease.epoch.0 }.execute(conn)?;
    Ok(())
}

/// Records how a manager ended.
pub(super) fn end(
    conn: &mut DbConnection,
    lease: Lease,
    state: ManagerState,
    reason: &str,
    now: Timestamp,
) -> Result<(), Failure> {
    let reason = kept(conn, reason);
    diesel::update(managers::table.find((lease.job.0, lease.epoch.0)).filter(managers::ended_at.is_null()))
        .set((managers::state.eq(state.as_str()), managers::reason.eq(reason), managers::ended_at.eq(now.as_micros())))
        .execute(conn)?;
    if on_server(conn) { postgres::give_back(conn, &[lease.manager.to_string()]) } else { Ok(()) }
}

/// Records as lost managers that have not recorded their ends.
pub(super) fn lose(conn: &mut DbConnection, job: JobId) -> Result<(), Failure> {
    let lost = diesel::update(managers::table.filter(managers::job_id.eq(job.0)).filter(managers::ended_at.is_null()))
        .set((
            managers::state.eq(ManagerState::Lost.as_str()),
            managers::ended_at.eq(managers::heartbeat_at.nullable()),
        ))
        .execute(conn)?;
    add_deaths(conn, lost)
}
