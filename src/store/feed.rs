//! Which units a manager runs next.
//!
//! Units that wait for their first attempt are found by walking the table's own order after a cursor; units that
//! came back are found through the small index on their time. Neither costs more in a larger job. Those of a sample are found by that
//! too: they are due before all others.

mod chosen;

use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable};

use super::attempts::note_postponed;
use super::columns::{Checked, text_of};
use super::connection::{DbConnection, on_server};
use super::failure::Failure;
use super::schema::{jobs, units};
use super::statement::statement;
use super::unit_row::{DueColumns, DueRow, UnitColumns, UnitRow, unit};
use super::{Lease, Store, StoreError, postgres};
use crate::model::{JobId, Reach, Row, Seq, Timestamp, Unit, UnitId, Unreadable};
use chosen::{DueChosen, NextChosen};
pub(super) use chosen::{draw, put_first};

statement! {
    pub(super) struct FreshUnits {
        "SELECT id, key, payload, attempts, crashes, revision FROM units WHERE id > "
            after: i64 as BigInt,
        " AND id <= " last: i64 as BigInt,
        " AND status = 'pending' AND not_before IS NULL ORDER BY id LIMIT " limit: i64 as BigInt,
    }
    "" -> UnitColumns
}

statement! {
    pub(super) struct DueUnits {
        ["SELECT id, key, payload, attempts, crashes, revision, checkpoint, EXISTS (SELECT 1 FROM attempts \
          WHERE attempts.unit_id = units.id AND cause = 'postponed'), not_before = 0 FROM units INDEXED BY units_waiting \
          LEFT JOIN unit_notes ON unit_notes.unit_id = units.id WHERE job_id = "
         "SELECT id, key, payload, attempts, crashes, revision, checkpoint, EXISTS (SELECT 1 FROM attempts \
          WHERE attempts.unit_id = units.id AND cause = 'postponed'), not_before = 0 FROM units \
          LEFT JOIN unit_notes ON unit_notes.unit_id = units.id WHERE job_id = "]
            job: i64 as BigInt,
        " AND not_before IS NOT NULL AND not_before <= " now: i64 as BigInt,
        " AND id <= " last: i64 as BigInt,
        " ORDER BY not_before LIMIT " limit: i64 as BigInt,
    }
    "" -> DueColumns
}

statement! {
    pub(super) struct NextDue {
        ["SELECT min(not_before) FROM units INDEXED BY units_waiting WHERE not_before IS NOT NULL AND job_id = "
         "SELECT min(not_before) FROM units WHERE not_before IS NOT NULL AND job_id = "]
            job: i64 as BigInt,
        " AND id <= " last: i64 as BigInt,
    }
    "" -> Nullable<BigInt>
}

statement! {
    pub(super) struct AnyWaits {
        "SELECT EXISTS (SELECT 1 FROM units WHERE id > "
            after: i64 as BigInt,
        " AND id <= " last: i64 as BigInt,
        [" AND status = 'pending' AND not_before IS NULL) OR EXISTS (SELECT 1 FROM units INDEXED BY units_waiting \
          WHERE not_before IS NOT NULL AND job_id = "
         " AND status = 'pending' AND not_before IS NULL) OR EXISTS (SELECT 1 FROM units \
          WHERE not_before IS NOT NULL AND job_id = "] job: i64 as BigInt,
    }
    ")" -> Bool
}

statement! {
    pub(super) struct RunningUnits {
        ["SELECT id, key, '', attempts, crashes, revision FROM units INDEXED BY units_running WHERE status = 'running' AND id BETWEEN "
         "SELECT id, key, '', attempts, crashes, revision FROM units WHERE status = 'running' AND id BETWEEN "]
            first: i64 as BigInt,
        " AND " last: i64 as BigInt,
    }
    " ORDER BY id" -> UnitColumns
}

statement! {
    // Of a server: which transactions have ended. Others than ours change it too, which costs a look and hides nothing.
    pub(super) struct DataVersion {}
    ["PRAGMA data_version" "SELECT hashtextextended(pg_current_snapshot()::text, 0)"] -> BigInt
}

/// How many units are read at once.
#[derive(Debug, Clone, Copy)]
pub struct PageBound {
    /// No more of them.
    pub units: usize,
    /// None after so many bytes; the first one whatever its size.
    pub bytes: usize,
}

impl PageBound {
    /// So many units, whatever their sizes.
    #[cfg(test)]
    pub fn units(units: usize) -> PageBound {
        PageBound { units, bytes: usize::MAX }
    }
}

/// A page of units.
#[derive(Debug, Default)]
pub struct UnitsRead {
    /// In their order.
    pub units: Vec<Unit>,
    /// Whether there are no more.
    pub is_last: bool,
}

impl UnitsRead {
    /// Reads rows until the bound is reached.
    fn of(rows: impl Iterator<Item = Result<Unit, Failure>>, bound: PageBound) -> Result<UnitsRead, Failure> {
        let (mut page, mut bytes) = (UnitsRead { is_last: true, ..UnitsRead::default() }, 0);
        for unit in rows {
            let unit = unit?;
            bytes += unit.bytes();
            page.units.push(unit);
            if page.units.len() >= bound.units || bytes >= bound.bytes {
                page.is_last = false;
                break;
            }
        }
        Ok(page)
    }
}

impl Store {
    /// Returns up to `limit` units after `after`, and up to `through`, that wait for their first attempt, in order of their numbers.
    pub fn fresh_units(
        &mut self,
        job: JobId,
        after: Seq,
        through: Seq,
        limit: PageBound,
    ) -> Result<UnitsRead, StoreError> {
        self.read("read waiting units", |conn| {
            let (after, last) = (UnitId::new(job, after).raw(), UnitId::new(job, through).raw());
            if on_server(conn) {
                let rows = postgres::fresh_units(conn, (after, last), (bound(limit.units), bound(limit.bytes)))?;
                return UnitsRead::of(rows.into_iter().map(|row| Ok(unit(row)?)), limit);
            }
            let page = FreshUnits { after, last, limit: bound(limit.units) };
            // Row by row: a page of long items is not to be in memory before it is cut.
            let rows = page.load_iter::<UnitRow, DefaultLoadingMode>(conn)?;
            UnitsRead::of(rows.map(|row| Ok(unit(row?)?)), limit)
        })
    }

    /// Returns up to `limit` units within reach that came back to pending and may run at `now`, the longest due first, each
    /// with what its handler kept for its next attempt. They are those that the manager has claimed, here all of the job; among them
    /// those that were chosen to come before all others.
    pub fn due_units(
        &mut self,
        lease: Lease,
        now: Timestamp,
        reach: impl Into<Reach>,
        limit: PageBound,
    ) -> Result<UnitsRead, StoreError> {
        let reach = reach.into();
        if on_server(&mut self.conn) {
            return self.write_under(lease, "claim units", |conn, _| {
                let rows = postgres::due_units(conn, lease, now, &reach, (bound(limit.units), bound(limit.bytes)))?;
                due_page(conn, rows.into_iter().map(due_unit).collect::<Result<_, _>>()?, limit)
            });
        }
        self.read("read waiting units", |conn| {
            let last = UnitId::new(lease.job, reach.last()).raw();
            let (job, now, most) = (lease.job.0, now.as_micros(), bound(limit.units));
            let units = match reach.chosen(lease.job) {
                Some(units) => {
                    cut(DueChosen { units, now, limit: most }.load_iter::<DueRow, DefaultLoadingMode>(conn)?, limit)?
                }
                None => {
                    cut(DueUnits { job, now, last, limit: most }.load_iter::<DueRow, DefaultLoadingMode>(conn)?, limit)?
                }
            };
            due_page(conn, units, limit)
        })
    }

    /// Returns the earliest time at which one of them may run.
    pub fn next_due(&mut self, lease: Lease, reach: impl Into<Reach>) -> Result<Option<Timestamp>, StoreError> {
        let reach = reach.into();
        self.read("read waiting units", |conn| {
            let last = UnitId::new(lease.job, reach.last()).raw();
            if on_server(conn) {
                return Ok(postgres::next_due(conn, lease, &reach)?.map(Timestamp::from_micros));
            }
            let due: Option<i64> = match reach.chosen(lease.job) {
                Some(units) => NextChosen { units }.get_result(conn)?,
                None => NextDue { job: lease.job.0, last }.get_result(conn)?,
            };
            Ok(due.map(Timestamp::from_micros))
        })
    }

    /// Returns the units for which a lease answers and whose rows say that they run, without their payloads: all of them
    /// together may be long.
    pub fn running_units(&mut self, lease: Lease) -> Result<Vec<Unit>, StoreError> {
        self.read("read running units", |conn| {
            let [first, last] = UnitId::ends_of(lease.job);
            let rows = match on_server(conn) {
                true => postgres::running_units(conn, lease)?,
                false => RunningUnits { first, last }.load::<UnitRow>(conn)?,
            };
            Ok(rows.into_iter().map(unit).collect::<Result<_, _>>()?)
        })
    }

    /// Returns the payload of a unit, or what stands for one that cannot be read.
    pub fn payload(&mut self, unit: UnitId) -> Result<String, StoreError> {
        self.read("read a unit", |conn| {
            let payload: Checked<String> = units::table.find(unit.raw()).select(units::payload).first(conn)?;
            Ok(payload.known().map_or(Unit::UNKNOWN_PAYLOAD, String::as_str).to_owned())
        })
    }

    /// Refuses to go on with a job that has unfinished units by its counters, and none that waits: whoever has none in hand would
    /// look for them for ever.
    pub fn refuse_miscounted(&mut self, lease: Lease) -> Result<(), StoreError> {
        self.read("look for waiting units", |conn| {
            let job = lease.job;
            let row = jobs::table.find(job.0).select((jobs::claimed_through, jobs::pending + jobs::running));
            let (claimed, unfinished): (i64, i64) = row.first(conn)?;
            let (after, last) = (UnitId::new(job, Seq(claimed)).raw(), UnitId::new(job, Seq::MAX).raw());
            // On a server others may have them in hand.
            if unfinished == 0 || on_server(conn) || (AnyWaits { after, last, job: job.0 }).get_result(conn)? {
                return Ok(());
            }
            let (value, reason) = (unfinished.to_string(), "it counts units that are not there".to_owned());
            Err(StoreError::from(Unreadable { row: Row::Job(job), column: "counter", value, reason }).into())
        })
    }

    /// Returns the number up to which no unit waits for its first attempt.
    pub fn claimed_through(&mut self, job: JobId) -> Result<Seq, StoreError> {
        self.read("read the job", |conn| Ok(Seq(jobs::table.find(job.0).select(jobs::claimed_through).first(conn)?)))
    }

    /// Returns a number that changes whenever another connection commits to this database.
    pub fn data_version(&mut self) -> Result<i64, StoreError> {
        self.read("look for changes", |conn| Ok(DataVersion {}.get_result(conn)?))
    }
}

/// Reads rows of units that came back until their bytes reach the bound.
fn cut(rows: impl Iterator<Item = QueryResult<DueRow>>, limit: PageBound) -> Result<Vec<(Unit, bool)>, Failure> {
    let (mut units, mut bytes) = (Vec::new(), 0);
    for row in rows {
        let unit = due_unit(row?)?;
        bytes += unit.0.bytes();
        units.push(unit);
        if bytes >= limit.bytes {
            break;
        }
    }
    Ok(units)
}

/// Makes a page of units that came back, each with whether it was postponed before.
fn due_page(conn: &mut DbConnection, mut units: Vec<(Unit, bool)>, limit: PageBound) -> Result<UnitsRead, Failure> {
    note_postponed(conn, &mut units)?;
    UnitsRead::of(units.into_iter().map(|(unit, _)| Ok(unit)), limit)
}

/// Returns a unit that came back, with what its handler kept, and whether it was postponed before.
pub(super) fn due_unit((row, checkpoint, was_postponed, is_first): DueRow) -> Result<(Unit, bool), Failure> {
    let mut unit = Unit { came_back: !is_first, ..unit(row)? };
    match text_of(checkpoint, Row::NotesOf(unit.id), "checkpoint") {
        Ok(checkpoint) => unit.checkpoint = checkpoint,
        Err(unreadable) => unit.unreadable = Some(unreadable.to_string()),
    }
    Ok((unit, was_postponed))
}

pub(super) fn bound(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
