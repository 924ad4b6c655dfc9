//! What handlers say about attempts under way; units whose handlers say nothing have no row.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::columns::{TextColumn, text_of};
use super::connection::{Db, DbConnection, on_server};
use super::failure::Failure;
use super::jobs::lock_visible;
use super::schema::{unit_notes, units};
use super::statement::statement;
use super::written::kept;
use super::{Store, StoreError, postgres};
use crate::model::{AttemptName, Job, Row, UnitId, UnitNotes, Unreadable};

statement! {
    struct Upsert<'a> {
        "INSERT INTO unit_notes (unit_id, done, total, message, checkpoint) SELECT id, "
            done: Option<i64> as Nullable<BigInt>,
        ", " total: Option<i64> as Nullable<BigInt>,
        ", " message: Option<&'a str> as Nullable<Text>,
        ", " checkpoint: Option<&'a str> as Nullable<Text>,
        " FROM units WHERE id = " unit: i64 as BigInt,
        " AND revision = " revision: i64 as BigInt,
    }
    " ON CONFLICT (unit_id) DO UPDATE SET done = coalesce(excluded.done, unit_notes.done), \
     total = coalesce(excluded.total, unit_notes.total), message = coalesce(excluded.message, unit_notes.message), \
     checkpoint = coalesce(excluded.checkpoint, unit_notes.checkpoint)"
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = unit_notes, check_for_backend(Db))]
struct NotesRow {
    done: Option<i64>,
    total: Option<i64>,
    message: TextColumn,
    checkpoint: TextColumn,
}

impl Store {
    /// Returns what the handler of a unit said about it; nothing when it said nothing.
    pub fn unit_notes(&mut self, unit: UnitId) -> Result<UnitNotes, StoreError> {
        self.read("read the unit's notes", |conn| {
            let row: Option<NotesRow> =
                unit_notes::table.find(unit.raw()).select(NotesRow::as_select()).first(conn).optional()?;
            Ok(row.map(|row| notes(unit, row)).transpose()?.unwrap_or_default())
        })
    }
}

impl Store {
    /// Writes what the command of an attempt said.
    ///
    /// # Errors
    /// [`StoreError::AttemptOver`] when that attempt is not under way.
    pub fn note_attempt(&mut self, unit: UnitId, attempt: AttemptName, notes: &UnitNotes) -> Result<(), StoreError> {
        self.write("note what the unit says", |conn| {
            let (_, revision) = expect_attempt(conn, unit, attempt)?;
            put(conn, unit, revision, notes)?;
            Ok(())
        })
    }

    /// Refuses words of an attempt that is not under way.
    ///
    /// # Errors
    /// [`StoreError::AttemptOver`] then.
    pub fn expect_attempt(&mut self, unit: UnitId, attempt: AttemptName) -> Result<(), StoreError> {
        self.write("look at the attempt", |conn| expect_attempt(conn, unit, attempt).map(drop))
    }

    /// Sets the result that the unit of an attempt under way has when it completes.
    pub fn put_result(&mut self, unit: UnitId, attempt: AttemptName, json: &str) -> Result<(), StoreError> {
        self.write("note the unit's result", |conn| {
            expect_attempt(conn, unit, attempt)?;
            diesel::update(units::table.find(unit.raw())).set(units::result.eq(json)).execute(conn)?;
            Ok(())
        })
    }
}

/// What the row of a unit says of its attempt: status, attempts, revision, start, and the time before which no other begins.
type AttemptRow = (String, i64, i64, Option<i64>, Option<i64>);

/// Refuses words of an attempt that is over, and returns its job and the revision of its unit; the start of one that has just begun
/// may not be committed yet.
pub(super) fn expect_attempt(
    conn: &mut DbConnection,
    unit: UnitId,
    attempt: AttemptName,
) -> Result<(Job, i64), Failure> {
    let over = || StoreError::AttemptOver { unit, attempt: attempt.number };
    let job = lock_visible(conn, unit.job())?.ok_or_else(over)?;
    let row = units::table.find(unit.raw()).select((
        units::status,
        units::attempts,
        units::revision,
        units::started_at,
        units::not_before,
    ));
    let row: Option<AttemptRow> = row.get_result(conn).optional()?;
    let is_of_lease = match attempt.epoch {
        // A server has as many at a time as there are hosts.
        Some(of) if job.epoch != of => on_server(conn) && postgres::is_live(conn, job.id, of)?,
        Some(_) | None => true,
    };
    let found = row.filter(|(status, attempts, revision, started_at, not_before)| {
        let (counted, may_have_begun) = match status.as_str() {
            "running" => (*attempts, attempt.begun.is_none_or(|(_, at)| *started_at == Some(at))),
            // Whatever sent the unit back since then has set a later time.
            "pending" => (*attempts + 1, attempt.begun.is_none_or(|(_, at)| not_before.is_none_or(|due| due <= at))),
            _ => return false,
        };
        let is_seen = attempt.begun.is_none_or(|(seen, _)| seen == *revision);
        is_of_lease && is_seen && may_have_begun && counted == i64::from(attempt.number)
    });
    found.map(|row| (job, row.2)).ok_or_else(|| over().into())
}

/// Writes what a handler said inside a transaction; what it did not mention stays as it was. Returns `false` if a client has
/// changed the unit meanwhile: what was said is not about that one.
pub(super) fn put(conn: &mut DbConnection, unit: UnitId, revision: i64, notes: &UnitNotes) -> Result<bool, Failure> {
    let steps = |count: Option<u64>| count.map(|count| i64::try_from(count).unwrap_or(i64::MAX));
    let message = notes.message.as_deref().map(|message| kept(conn, message));
    let written = Upsert {
        unit: unit.raw(),
        revision,
        done: steps(notes.done),
        total: steps(notes.total),
        message: message.as_deref(),
        checkpoint: notes.checkpoint.as_deref(),
    }
    .execute(conn)?;
    Ok(written == 1)
}

fn notes(unit: UnitId, row: NotesRow) -> Result<UnitNotes, Unreadable> {
    let place = Row::NotesOf(unit);
    Ok(UnitNotes {
        done: row.done.and_then(|done| u64::try_from(done).ok()),
        total: row.total.and_then(|total| u64::try_from(total).ok()),
        message: text_of(row.message, place, "message")?,
        checkpoint: text_of(row.checkpoint, place, "checkpoint")?,
    })
}
