//! Reading what came of units: of each row as little as its reader shows.

use diesel::connection::DefaultLoadingMode;
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

use super::columns::{Checked, Word};
use super::filter::condition;
use super::schema::units;
use super::written::Written;
use super::{Store, StoreError};
use crate::model::{JobId, Outdated, Row, Seq, UnitFilter, UnitId, UnitResult, UnitStatus, Unreadable};

/// Output is shown where there is no result; a copy for display may be long.
fn shown_output() -> SqlLiteral<Nullable<Text>> {
    diesel::dsl::sql("CASE WHEN result IS NULL THEN stdout END")
}

#[derive(Queryable)]
struct ResultRow {
    id: i64,
    key: Option<String>,
    payload: String,
    status: Checked<Word<UnitStatus>>,
    outdated: Option<Checked<Word<Outdated>>>,
    error: Option<String>,
    result: Option<String>,
    stdout: Option<Written>,
}

impl TryFrom<ResultRow> for UnitResult {
    type Error = Unreadable;

    fn try_from(row: ResultRow) -> Result<UnitResult, Unreadable> {
        let unit = UnitId::from_raw(row.id);
        let outdated = row.outdated.map(|word| word.of(Row::Unit(unit), "outdated")).transpose()?;
        Ok(UnitResult {
            seq: unit.seq(),
            key: row.key,
            payload: row.payload,
            status: row.status.of(Row::Unit(unit), "status")?.0,
            outdated: outdated.map(|word| word.0),
            error: row.error,
            result: row.result,
            stdout: row.stdout.map(|it| it.0),
        })
    }
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
            );
            let wanted = units::table.filter(condition(conn, job, filter)?).order(units::id).select(shown);
            for row in wanted.load_iter::<ResultRow, DefaultLoadingMode>(conn)? {
                let row = row?;
                let seq = UnitId::from_raw(row.id).seq();
                if !take(UnitResult::try_from(row)) {
                    return Ok(Some(seq));
                }
            }
            Ok(None)
        })
    }
}
