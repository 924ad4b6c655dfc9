//! What is shown of groups.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use crate::model::{
    Groups, GroupsStatus, HeldGroup, JobId, Row, Seq, Timestamp, UnitDetail, UnitId, Unreadable, WaitingGroup,
};
use crate::store::columns::{Checked, TextColumn, text_of};
use crate::store::connection::DbConnection;
use crate::store::failure::Failure;
use crate::store::schema::{unit_groups, units};
use crate::store::statement::statement;
use crate::store::{Store, StoreError};

statement! {
    struct RunningByGroup {
        ["SELECT grp, count(*), (SELECT most FROM unit_groups WHERE unit_groups.job_id = units.job_id AND name = grp) \
          FROM units INDEXED BY units_running WHERE status = 'running' AND grp IS NOT NULL AND id BETWEEN "
         "SELECT grp, count(*), (SELECT most FROM unit_groups WHERE unit_groups.job_id = units.job_id AND name = grp) \
          FROM units WHERE status = 'running' AND grp IS NOT NULL AND id BETWEEN "] first: i64 as BigInt,
        " AND " last: i64 as BigInt,
    }
    " GROUP BY units.job_id, grp ORDER BY grp" -> (Text, BigInt, Nullable<BigInt>)
}

statement! {
    // Behind what was read of each; so few that a page can be drawn from them.
    struct WaitingByGroup {
        ["SELECT name, (SELECT count(*) FROM (SELECT 1 FROM units INDEXED BY units_grouped WHERE units.job_id = shown.job_id \
          AND grp = shown.name AND units.id > (shown.job_id << 32) + shown.read_through AND status = 'pending' LIMIT 201) AS found) \
          FROM (SELECT job_id, name, read_through FROM unit_groups WHERE job_id = "
         "SELECT name, (SELECT count(*) FROM (SELECT 1 FROM units WHERE units.job_id = shown.job_id \
          AND grp = shown.name AND units.id > (shown.job_id << 32) + shown.read_through AND status = 'pending' LIMIT 201) AS found) \
          FROM (SELECT job_id, name, read_through FROM unit_groups WHERE job_id = "] job: i64 as BigInt,
    }
    " ORDER BY name LIMIT 50) AS shown ORDER BY name" -> (Text, BigInt)
}

type RunningRow = (Checked<String>, i64, Option<i64>);
type HeldRow = (Checked<String>, TextColumn, Option<i64>, TextColumn);

impl Store {
    /// Returns the first names of groups of a job that begin with a text.
    pub fn groups_begun(&mut self, job: JobId, begun: &str, most: i64) -> Result<Vec<String>, StoreError> {
        self.read("look for groups", |conn| {
            let from = unit_groups::table.filter(unit_groups::job_id.eq(job.0)).filter(unit_groups::name.ge(begun));
            let names: Vec<Checked<String>> =
                from.order(unit_groups::name).select(unit_groups::name).limit(most).load(conn)?;
            Ok(names.into_iter().map(|name| name.shown().to_owned()).filter(|name| name.starts_with(begun)).collect())
        })
    }

    /// Returns how many units of a group run.
    pub fn running_in_group(&mut self, job: JobId, group: &str) -> Result<i64, StoreError> {
        self.read("count running units", |conn| {
            let running = running(conn, job)?;
            Ok(running.into_iter().find(|(name, ..)| name.shown() == group).map_or(0, |(_, count, _)| count))
        })
    }
}

impl Store {
    /// Counts the units that wait for their first attempt, of the first 50 groups of a job that has groups; those with none are omitted.
    pub fn waiting_by_group(&mut self, job: JobId) -> Result<Vec<WaitingGroup>, StoreError> {
        self.read("count waiting units", |conn| {
            let rows: Vec<(Checked<String>, i64)> = WaitingByGroup { job: job.0 }.load(conn)?;
            let of = |(name, found): (Checked<String>, i64)| {
                Ok(WaitingGroup::of(name.of(Row::Job(job), "name in unit_groups")?, found))
            };
            Ok(rows.into_iter().filter(|(_, found)| *found > 0).map(of).collect::<Result<_, Unreadable>>()?)
        })
    }
}

fn running(conn: &mut DbConnection, job: JobId) -> Result<Vec<RunningRow>, Failure> {
    let [first, last] = UnitId::ends_of(job);
    Ok(RunningByGroup { first, last }.load(conn)?)
}

/// Says where the groups of a job stand, inside a transaction.
pub(in crate::store) fn status(
    conn: &mut DbConnection,
    job: JobId,
    groups: &Groups,
    now: Timestamp,
) -> Result<GroupsStatus, Failure> {
    let place = Row::Job(job);
    let of_job = || unit_groups::table.filter(unit_groups::job_id.eq(job.0));
    let total: i64 = of_job().count().get_result(conn)?;
    let running = running(conn, job)?;
    let is_full = |(_, count, own): &&RunningRow| {
        let most = own.or_else(|| groups.most.and_then(|most| i64::try_from(most).ok()));
        most.is_some_and(|most| *count >= most)
    };
    let at_limit: Vec<String> = running.iter().filter(is_full).map(|(name, ..)| name.shown().to_owned()).collect();
    let held = of_job()
        .filter(unit_groups::stopped.is_not_null().or(unit_groups::hold_until.is_not_null()))
        .order(unit_groups::name)
        .select((unit_groups::name, unit_groups::stopped, unit_groups::hold_until, unit_groups::hold_reason));
    let held: Vec<HeldRow> = held.load(conn)?;
    let read = |(name, stopped, until, reason): HeldRow| -> Result<Option<HeldGroup>, Unreadable> {
        let stopped = text_of(stopped, place, "reason in unit_groups")?;
        let until = until.map(Timestamp::from_micros).filter(|until| *until > now && stopped.is_none());
        let reason = match stopped {
            Some(stopped) => Some(stopped),
            None if until.is_some() => text_of(reason, place, "reason of a hold in unit_groups")?,
            None => return Ok(None),
        };
        Ok(Some(HeldGroup { name: name.of(place, "name in unit_groups")?, until, reason: reason.unwrap_or_default() }))
    };
    let held: Vec<HeldGroup> = held.into_iter().filter_map(|row| read(row).transpose()).collect::<Result<_, _>>()?;
    Ok(GroupsStatus::of(total, running.len(), at_limit, held))
}

/// Adds the group of each of some units of a job that has groups, inside a transaction.
pub(in crate::store) fn add_groups(
    conn: &mut DbConnection,
    job: JobId,
    page: &mut [UnitDetail],
) -> Result<(), Failure> {
    let id = |seq: Seq| UnitId::new(job, seq).raw();
    let ids: Vec<i64> = page.iter().map(|unit| id(unit.seq)).collect();
    let mut found: HashMap<i64, TextColumn> = HashMap::new();
    for ids in ids.chunks(500) {
        let rows: Vec<(i64, TextColumn)> =
            units::table.filter(units::id.eq_any(ids)).select((units::id, units::grp)).load(conn)?;
        found.extend(rows);
    }
    for unit in page {
        unit.group = text_of(found.remove(&id(unit.seq)).flatten(), Row::Unit(UnitId::new(job, unit.seq)), "grp")?;
    }
    Ok(())
}
