//! The attempts that did not complete.

mod postponed;
mod resources;

use diesel::dsl::{max, min};
use diesel::prelude::*;

use super::columns::{Checked, Word, count};
use super::connection::{Db, DbConnection};
use super::failure::Failure;
use super::schema::{attempts, units};
use super::written::{Written, column, kept};
use super::{Store, StoreError, UnitChange, slots};
use crate::model::{AttemptRecord, Cause, Epoch, Output, Resources, Row, Timestamp, UnitId};

pub(super) use postponed::note_postponed;

#[derive(Queryable, Selectable)]
#[diesel(table_name = attempts, check_for_backend(Db))]
struct AttemptRow {
    id: i64,
    attempt: i64,
    epoch: i64,
    started_at: Option<i64>,
    ended_at: i64,
    cause: Checked<Word<Cause>>,
    exit_code: Option<i64>,
    signal: Option<i64>,
    error: Checked<String>,
    stdout: Option<Written>,
    stderr: Option<Written>,
}

impl Store {
    /// Returns the attempts of a unit that did not complete, oldest first.
    pub fn attempts(&mut self, unit: UnitId) -> Result<Vec<AttemptRecord>, StoreError> {
        self.read("read the attempts", |conn| {
            let shown = (AttemptRow::as_select(), slots::column(conn)?);
            let of_unit = attempts::table.filter(attempts::unit_id.eq(unit.raw()));
            let rows: Vec<(AttemptRow, Option<i64>)> = of_unit.order(attempts::id).select(shown).load(conn)?;
            let mut took = resources::of_attempts(conn, unit)?;
            let known = |(row, slot): (AttemptRow, _)| {
                Ok(AttemptRecord { slot: slots::known(slot), ..record(unit, took.remove(&row.id), row)? })
            };
            rows.into_iter().map(known).collect()
        })
    }
}

/// Ends that say nothing of what a unit did: others have cut it off, or it never began.
const NOT_ITS_OWN: [Cause; 6] =
    [Cause::NotStarted, Cause::Interrupted, Cause::Crashed, Cause::Cancelled, Cause::Postponed, Cause::NeedsAttention];

impl Store {
    /// Returns the latest attempt at a unit that came to its own end and did not complete, if there is one.
    pub fn last_attempt(&mut self, unit: UnitId) -> Result<Option<AttemptRecord>, StoreError> {
        self.read("read the unit's last attempt", |conn| {
            let row: Option<AttemptRow> = attempts::table
                .filter(attempts::unit_id.eq(unit.raw()))
                .filter(attempts::cause.ne_all(NOT_ITS_OWN.map(Cause::as_str)))
                .order(attempts::id.desc())
                .select(AttemptRow::as_select())
                .first(conn)
                .optional()?;
            Ok(row.map(|row| record(unit, None, row)).transpose()?)
        })
    }
}

impl Store {
    /// Returns when the first attempt at a unit began that did not complete, and when the last one ended, if there was one.
    pub fn attempts_span(&mut self, unit: UnitId) -> Result<Option<(Timestamp, Timestamp)>, StoreError> {
        self.read("read when attempts at the unit ran", |conn| {
            let of_unit = attempts::table.filter(attempts::unit_id.eq(unit.raw()));
            let (began, ended): (Option<i64>, Option<i64>) =
                of_unit.select((min(attempts::started_at), max(attempts::ended_at))).first(conn)?;
            Ok(ended.map(|ended| (Timestamp::from_micros(began.unwrap_or(ended)), Timestamp::from_micros(ended))))
        })
    }
}

/// Writes the attempt of a change inside a transaction, if it came to nothing; of one whose start or slot the
/// change does not know, the unit's row does.
pub(super) fn insert(conn: &mut DbConnection, change: &UnitChange) -> Result<(), Failure> {
    let (Some(end), Some(ended_at), Some((cause, error))) = (&change.end, change.ended_at, change.failure()) else {
        return Ok(());
    };
    let unit_id = change.unit.raw();
    let (started_at, slot) = match (change.started_at.map(Timestamp::as_micros), change.slot.map(i64::from)) {
        (Some(at), Some(slot)) => (Some(at), Some(slot)),
        (at, slot) => {
            let of_row = units::table.find(unit_id).select((units::started_at, units::slot));
            let (row_at, row_slot): (Option<i64>, Option<i64>) = of_row.get_result(conn)?;
            (at.or(row_at), slot.or(row_slot))
        }
    };
    let (stdout, stderr) = (column(end.output.stdout.as_ref()), column(end.output.stderr.as_ref()));
    diesel::insert_into(attempts::table)
        .values((
            attempts::unit_id.eq(unit_id),
            attempts::attempt.eq(i64::from(change.attempt())),
            attempts::epoch.eq(change.epoch.0),
            attempts::started_at.eq(started_at),
            attempts::slot.eq(slot),
            attempts::ended_at.eq(ended_at.as_micros()),
            attempts::cause.eq(cause.as_str()),
            attempts::exit_code.eq(end.exit_code.map(i64::from)),
            attempts::signal.eq(end.signal.map(i64::from)),
            attempts::error.eq(kept(conn, error)),
            attempts::stdout.eq(stdout),
            attempts::stderr.eq(stderr),
            resources::columns(end.resources),
        ))
        .execute(conn)?;
    Ok(())
}

fn record(unit: UnitId, resources: Option<Resources>, row: AttemptRow) -> Result<AttemptRecord, StoreError> {
    Ok(AttemptRecord {
        attempt: count(row.attempt),
        epoch: Epoch(row.epoch),
        started_at: row.started_at.map(Timestamp::from_micros),
        slot: None,
        ended_at: Timestamp::from_micros(row.ended_at),
        cause: row.cause.of(Row::AttemptOf(unit), "cause")?.0,
        exit_code: row.exit_code.and_then(|code| i32::try_from(code).ok()),
        signal: row.signal.and_then(|signal| i32::try_from(signal).ok()),
        error: row.error.of(Row::AttemptOf(unit), "error")?,
        resources,
        output: Output { stdout: row.stdout.map(|it| it.0), stderr: row.stderr.map(|it| it.0) },
    })
}
