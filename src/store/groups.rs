//! The groups of a job's units: a row for each, made with its first unit.
//!
//! A job without groups has no row here, and no statement is run for it. Invariant: every group that a unit names has a row.

mod bounds;
mod page;
mod reading;
mod refused;
mod shown;

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::columns::{Checked, TextColumn, text_of};
use super::connection::DbConnection;
use super::failure::Failure;
use super::jobs::lock_job;
use super::schema::{jobs, unit_groups};
use super::statement::statement;
use super::{Lease, Store, StoreError};
use crate::model::{Group, Groups, JobId, NewUnit, Row, Seq, Timestamp, Unreadable};

pub(super) use bounds::{begin_again, end_stops, lift_holds, note_all, shift};
pub use page::GroupPage;
pub use refused::GroupRefused;
pub(super) use shown::{add_groups, status};

statement! {
    struct AddGroups {
        "INSERT INTO unit_groups (job_id, name, read_through, failures) SELECT " job: i64 as BigInt,
        [", value, 0, 0 FROM json_each(" ", value, 0, 0 FROM json_array_elements_text(("] names: String as Text,
    }
    [") WHERE true ON CONFLICT (job_id, name) DO NOTHING" ")::json) ON CONFLICT (job_id, name) DO NOTHING"]
}

statement! {
    struct PutGroup<'a> {
        "UPDATE units SET grp = " name: &'a str as Text,
        [" WHERE id IN (SELECT value FROM json_each(" " WHERE id IN (SELECT value::bigint FROM json_array_elements_text(("]
            units: String as Text,
    }
    ["))" ")::json))"]
}

statement! {
    struct HasMore {
        "SELECT EXISTS (SELECT 1 FROM unit_groups WHERE job_id = " job: i64 as BigInt,
        " ORDER BY name LIMIT 1 OFFSET " most: i64 as BigInt,
    }
    ")" -> Bool
}

statement! {
    struct KeepMark<'a> {
        ["UPDATE unit_groups SET read_through = max(read_through, "
         "UPDATE unit_groups SET read_through = greatest(read_through, "] read_through: i64 as BigInt,
        ") WHERE job_id = " job: i64 as BigInt,
        " AND name = " name: &'a str as Text,
    }
    ""
}

statement! {
    struct SetMost<'a> {
        "UPDATE unit_groups SET most = " most: Option<i64> as Nullable<BigInt>,
        " WHERE job_id = " job: i64 as BigInt,
        " AND name = " name: &'a str as Text,
    }
    ""
}

type Columns = (
    unit_groups::name,
    unit_groups::most,
    unit_groups::read_through,
    unit_groups::failures,
    unit_groups::stopped,
    unit_groups::hold_until,
    unit_groups::hold_reason,
);
const COLUMNS: Columns = (
    unit_groups::name,
    unit_groups::most,
    unit_groups::read_through,
    unit_groups::failures,
    unit_groups::stopped,
    unit_groups::hold_until,
    unit_groups::hold_reason,
);
type GroupRow = (Checked<String>, Option<i64>, i64, i64, TextColumn, Option<i64>, TextColumn);

impl Store {
    /// Returns the groups of a job, in order of their names.
    pub fn groups(&mut self, job: JobId) -> Result<Vec<Group>, StoreError> {
        self.read("read the groups of the job", |conn| {
            let of_job = unit_groups::table.filter(unit_groups::job_id.eq(job.0)).order(unit_groups::name);
            let rows: Vec<GroupRow> = of_job.select(COLUMNS).load(conn)?;
            Ok(rows.into_iter().map(|row| group(job, row)).collect::<Result<_, Unreadable>>()?)
        })
    }

    /// Returns a group of a job.
    pub fn group(&mut self, job: JobId, name: &str) -> Result<Option<Group>, StoreError> {
        self.read("read the group", |conn| {
            let row: Option<GroupRow> =
                unit_groups::table.find((job.0, name)).select(COLUMNS).first(conn).optional()?;
            Ok(row.map(|row| group(job, row)).transpose()?)
        })
    }

    /// Gives groups limits of their own, or takes them away: all of them or none.
    ///
    /// # Errors
    /// [`GroupRefused::NotFound`] when no unit of the job is in one of them.
    pub fn limit_groups(&mut self, job: JobId, limits: &[(String, Option<usize>)]) -> Result<(), StoreError> {
        self.write("change the limits of groups", |conn| {
            lock_job(conn, job)?;
            for (name, most) in limits {
                let most = most.map(|most| i64::try_from(most).unwrap_or(i64::MAX));
                if (SetMost { most, job: job.0, name }).execute(conn)? == 0 {
                    return Err(StoreError::from(GroupRefused::NotFound { job, name: name.clone() }).into());
                }
            }
            diesel::update(jobs::table.find(job.0)).set(jobs::revision.eq(jobs::revision + 1)).execute(conn)?;
            Ok(())
        })
    }

    /// Keeps how far groups have been read for first attempts, so that the next manager begins there.
    pub fn keep_marks(&mut self, lease: Lease, marks: &[(String, Seq)]) -> Result<(), StoreError> {
        self.write_under(lease, "keep what was read of groups", |conn, job| {
            marks.iter().try_for_each(|(name, mark)| {
                KeepMark { read_through: mark.0, job: job.id.0, name }.execute(conn).map(drop)?;
                Ok(())
            })
        })
    }
}

fn group(job: JobId, row: GroupRow) -> Result<Group, Unreadable> {
    let (name, most, read_through, failures, stopped, hold_until, hold_reason) = row;
    let place = Row::Job(job);
    let reason = text_of(hold_reason, place, "reason of a hold in unit_groups")?.unwrap_or_default();
    Ok(Group {
        name: name.of(place, "name in unit_groups")?,
        most: most.and_then(|most| usize::try_from(most).ok()),
        read_through,
        failures: failures.unsigned_abs(),
        stopped: text_of(stopped, place, "reason in unit_groups")?,
        hold: hold_until.map(|until| (Timestamp::from_micros(until), reason)),
    })
}

/// Puts units that were copied into their groups, inside a transaction.
pub(super) fn put_groups<'a>(
    conn: &mut DbConnection,
    grouped: impl Iterator<Item = (i64, &'a str)>,
) -> Result<(), Failure> {
    let mut by_name: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    grouped.for_each(|(unit, name)| by_name.entry(name).or_default().push(unit));
    for (name, units) in by_name {
        let units = serde_json::to_string(&units).expect("numbers have a form in JSON");
        PutGroup { name, units }.execute(conn)?;
    }
    Ok(())
}

/// Adds the groups of new units that their job does not have yet, inside a transaction.
pub(super) fn add_groups_of(conn: &mut DbConnection, job: JobId, units: &[NewUnit]) -> Result<(), Failure> {
    let names: BTreeSet<&str> = units.iter().filter_map(|unit| unit.group.as_deref()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let names = serde_json::to_string(&names).expect("texts have a form in JSON");
    let added = AddGroups { job: job.0, names }.execute(conn)?;
    let most = Groups::MOST;
    if added > 0 && (HasMore { job: job.0, most: most as i64 }).get_result(conn)? {
        return Err(StoreError::from(GroupRefused::TooMany { job, most }).into());
    }
    Ok(())
}
