//! Units that completed and that a person is to look at.
//!
//! A flag is written while its attempt runs, or with its end. It counts once that very attempt has completed its unit: the flag of one
//! that failed, was cut off or is run again says nothing.

mod decide;
mod refused;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::columns::{Checked, TextColumn, Word, text_of};
use super::connection::DbConnection;
use super::failure::Failure;
use super::finalizer::is_last;
use super::flagged::{COUNT, ONE, are_there};
use super::jobs::lock_visible;
use super::notes::expect_attempt;
use super::statement::statement;
use super::written::kept;
use super::{Store, StoreError};
use crate::model::{AttemptName, Decision, Flag, JobId, Row, Timestamp, UnitId};
pub use decide::Verdict;
pub use refused::FlagRefused;

statement! {
    struct Put<'a> {
        "INSERT INTO flags (unit_id, attempt, revision, started_at, text) VALUES ("
            unit: i64 as BigInt,
        ", " attempt: i64 as BigInt,
        ", " revision: i64 as BigInt,
        ", " started_at: Option<i64> as Nullable<BigInt>,
        ", " text: &'a str as Text,
    }
    ") ON CONFLICT (unit_id) DO UPDATE SET text = CASE WHEN flags.attempt = excluded.attempt \
     AND flags.revision = excluded.revision AND flags.decision IS NULL AND (flags.started_at IS NULL \
     OR excluded.started_at IS NULL OR flags.started_at = excluded.started_at) THEN flags.text || '; ' || excluded.text \
     ELSE excluded.text END, attempt = excluded.attempt, revision = excluded.revision, started_at = excluded.started_at, \
     decision = NULL, decided_by = NULL, decided_at = NULL, note = NULL"
}

statement! {
    struct CountUndecided {
        COUNT first: i64 as BigInt,
        " AND " last: i64 as BigInt,
    }
    "" -> BigInt
}

statement! {
    struct FlagOf {
        ONE unit: i64 as BigInt,
    }
    "" -> (Text, Nullable<Text>, Nullable<Text>, Nullable<BigInt>, Nullable<Text>)
}

type FlagRow = (Checked<String>, Option<Checked<Word<Decision>>>, TextColumn, Option<i64>, TextColumn);

/// The attempt that a flag is of: its number, the revision of its unit, and its start, where that is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct FlaggedAttempt {
    pub number: u32,
    pub revision: i64,
    pub started_at: Option<Timestamp>,
}

impl Store {
    /// Writes what the command of an attempt under way doubts; durable when it returns.
    ///
    /// # Errors
    /// [`StoreError::AttemptOver`] when that attempt is not under way, and [`FlagRefused::LastUnit`] for the unit that a job ends with.
    pub fn flag_attempt(&mut self, unit: UnitId, attempt: AttemptName, text: &str) -> Result<(), StoreError> {
        self.write("flag the unit", |conn| {
            // Whether there is one is asked with the attempt.
            lock_visible(conn, unit.job())?;
            let (job, revision) = expect_attempt(conn, unit, attempt)?;
            if is_last(conn, unit)? {
                return Err(StoreError::from(FlagRefused::LastUnit { job: job.id }).into());
            }
            let started_at = attempt.begun.map(|(_, at)| Timestamp::from_micros(at));
            put(conn, unit, FlaggedAttempt { number: attempt.number, revision, started_at }, text)
        })
    }

    /// Returns how many flagged units nobody has decided about.
    pub fn undecided(&mut self, job: JobId) -> Result<u64, StoreError> {
        self.read("count flagged units", |conn| undecided(conn, job))
    }

    /// Returns the flag of a unit, if the attempt that completed it has one.
    pub fn flag(&mut self, unit: UnitId) -> Result<Option<Flag>, StoreError> {
        self.read("read the unit's flag", |conn| flag_of(conn, unit))
    }
}

/// Writes a doubt inside a transaction, beside those that the same attempt has had.
pub(super) fn put(conn: &mut DbConnection, unit: UnitId, attempt: FlaggedAttempt, text: &str) -> Result<(), Failure> {
    let text = kept(conn, text);
    let (number, started_at) = (i64::from(attempt.number), attempt.started_at.map(Timestamp::as_micros));
    Put { unit: unit.raw(), attempt: number, revision: attempt.revision, started_at, text: &text }.execute(conn)?;
    Ok(())
}

/// Returns how many flagged units of a job nobody has decided about.
pub(super) fn undecided(conn: &mut DbConnection, job: JobId) -> Result<u64, Failure> {
    if !are_there(conn)? {
        return Ok(0);
    }
    let [first, last] = UnitId::ends_of(job);
    let count: i64 = CountUndecided { first, last }.get_result(conn)?;
    Ok(count.unsigned_abs())
}

fn flag_of(conn: &mut DbConnection, unit: UnitId) -> Result<Option<Flag>, Failure> {
    if !are_there(conn)? {
        return Ok(None);
    }
    let row: Option<FlagRow> = FlagOf { unit: unit.raw() }.get_result(conn).optional()?;
    let Some((text, decision, by, at, note)) = row else { return Ok(None) };
    let place = Row::FlagOf(unit);
    Ok(Some(Flag {
        seq: unit.seq(),
        text: text.of(place, "text")?,
        decision: decision.map(|word| word.of(place, "decision")).transpose()?.map(|Word(decision)| decision),
        decided_by: text_of(by, place, "decided_by")?,
        decided_at: at.map(Timestamp::from_micros),
        note: text_of(note, place, "note")?,
    }))
}
