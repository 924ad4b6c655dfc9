//! Reading what came of units: of each row as little as its reader shows.

use diesel::connection::DefaultLoadingMode;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

use super::columns::{Checked, TextColumn, Word, text_of};
use super::filter::condition;
use super::flagged;
use super::schema::units;
use super::units::outdated_of;
use super::written::Written;
use super::{Store, StoreError};
use crate::model::{JobId, Outdated, Row, Seq, Timestamp, UnitFilter, UnitId, UnitResult, UnitStatus, Unreadable};

/// Output is shown where there is no result; a copy for display may be long.
fn shown_output() -> SqlLiteral<Nullable<Text>> {
    diesel::dsl::sql("CASE WHEN result IS NULL THEN stdout END")
}

type ResultRow = (
    i64,
    TextColumn,
    Checked<String>,
    Checked<Word<UnitStatus>>,
    Option<Checked<Word<Outdated>>>,
    TextColumn,
    TextColumn,
    Option<Written>,
    TextColumn,
    Option<i64>,
    Option<i64>,
    Option<i64>,
);

fn of_row(row: ResultRow) -> Result<UnitResult, Unreadable> {
    let (id, key, payload, status, outdated, error, result, stdout, flag, exit_code, started_at, finished_at) = row;
    let (place, seq) = (Row::Unit(UnitId::from_raw(id)), UnitId::from_raw(id).seq());
    let (status, outdated) = (status.of(place, "status")?.0, outdated_of(outdated, place)?);
    let (key, payload) = (text_of(key, place, "key")?, payload.of(place, "payload")?);
    let flag = text_of(flag, Row::FlagOf(UnitId::from_raw(id)), "text")?;
    let (error, result) = (text_of(error, place, "error")?, text_of(result, place, "result")?);
    let exit_code = exit_code.and_then(|code| i32::try_from(code).ok());
    let [started_at, finished_at] = [started_at, finished_at].map(|at| at.map(Timestamp::from_micros));
    let stdout = stdout.map(|it| it.0);
    Ok(UnitResult {
        seq,
        key,
        payload,
        status,
        outdated,
        error,
        result,
        stdout,
        flag,
        exit_code,
        started_at,
        finished_at,
    })
}

impl Store {
    /// Gives what came of units to `take`, in order of their numbers, until that has enough; returns the number of the unit at
    /// which it had. One that cannot be read is given as such.
    ///
    /// One row is in memory at a time, and a snapshot is held meanwhile: `take` waits for nothing.
    pub fn each_result(
        &mut self,
        job: JobId,
        filter: &UnitFilter,
        take: &mut dyn FnMut(Result<UnitResult, Unreadable>) -> bool,
    ) -> Result<Option<Seq>, StoreError> {
        self.read("read results", |conn| {
            let shown = (
                units::id,
                units::key,
                units::payload,
                units::status,
                units::outdated,
                units::error,
                units::result,
                shown_output(),
                // Who reads all sees too what is doubtful.
                if filter.current.is_none() { flagged::column(conn)? } else { diesel::dsl::sql("NULL") },
                units::exit_code,
                units::started_at,
                units::finished_at,
            );
            let wanted = units::table.filter(condition(conn, job, filter)?).order(units::id).select(shown);
            for row in wanted.load_iter::<ResultRow, DefaultLoadingMode>(conn)? {
                let row = row?;
                let seq = UnitId::from_raw(row.0).seq();
                if !take(of_row(row)) {
                    return Ok(Some(seq));
                }
            }
            Ok(None)
        })
    }
}
