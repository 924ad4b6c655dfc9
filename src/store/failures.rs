//! Why units failed, and of which kind each failure is.
//!
//! The kind is worked out when the unit fails and kept in a table that only failed units enter. Who reads it asks for the
//! state of the unit as well, because a unit that was sent back keeps the kind of its last failure. For a database of a
//! schema without that table the same rows are made in a temporary one, which nobody else sees.

use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::columns::{Checked, Word};
use super::failure::Failure;
use super::statement::statement;
use super::written::{Written, end_of_stderr};
use super::{Store, StoreError};
use crate::model::{Cause, ClusterId, FailureCluster, FailureEvidence, JobId, Seq, UnitId};

/// Units whose kinds are worked out at a time.
const PAGE_UNITS: i64 = 1000;
/// Longest example that is kept.
const EXAMPLE_CHARS: usize = 1000;

/// What the kind of a unit's failure depends on, as SQL. A unit without attempts on record failed in no special way.
macro_rules! evidence {
    () => {
        concat!(
            "coalesce((SELECT cause FROM attempts WHERE attempts.unit_id = units.id \
             ORDER BY attempts.id DESC LIMIT 1), 'failed') AS cause, \
             exit_code, substr(coalesce(error, ''), 1, 4096) AS error, ",
            end_of_stderr!(),
            " AS stderr"
        )
    };
}

const FAILED_AFTER: &str =
    concat!("SELECT id, ", evidence!(), " FROM units INDEXED BY units_failed WHERE status = 'failed' AND id > ");

const LAST_FAILED: &str = concat!(
    "SELECT id, ",
    evidence!(),
    " FROM units INDEXED BY units_failed WHERE status = 'failed' AND id BETWEEN ? AND ? ORDER BY id DESC LIMIT ?"
);

/// Each kind with its first unit.
const KINDS: &str = concat!(
    "SELECT kind, failed, last, units.id AS id, ",
    evidence!(),
    " FROM (SELECT kind, count(*) AS failed, min(id) AS first, max(id) AS last \
     FROM units INDEXED BY units_failed CROSS JOIN failure_kinds ON unit_id = id \
     WHERE status = 'failed' AND id BETWEEN ? AND ? GROUP BY kind) \
     JOIN units ON units.id = first ORDER BY failed DESC, first"
);

statement! {
    struct WithoutKind {
        FAILED_AFTER after: i64 as BigInt,
        " AND id <= " through: i64 as BigInt,
        " AND NOT EXISTS (SELECT 1 FROM failure_kinds WHERE unit_id = units.id) ORDER BY id LIMIT "
            limit: i64 as BigInt,
    }
    "" -> (BigInt, Text, Nullable<BigInt>, Text, Text)
}

statement! {
    struct KeepKind {
        "INSERT INTO failure_kinds (unit_id, kind) VALUES (" unit: i64 as BigInt,
        ", " kind: i64 as BigInt,
    }
    ")"
}

statement! { struct ForgetKind { "DELETE FROM failure_kinds WHERE unit_id = " unit: i64 as BigInt, } "" }

statement! { struct HasKinds {} "SELECT count(*) FROM main.sqlite_schema WHERE name = 'failure_kinds'" -> BigInt }

#[derive(Queryable, QueryableByName)]
struct FailureRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    cause: Checked<Word<Cause>>,
    #[diesel(sql_type = Nullable<BigInt>)]
    exit_code: Option<i64>,
    #[diesel(sql_type = Text)]
    error: String,
    #[diesel(sql_type = Text)]
    stderr: Written,
}

#[derive(QueryableByName)]
struct KindRow {
    #[diesel(sql_type = BigInt)]
    kind: i64,
    #[diesel(sql_type = BigInt)]
    failed: i64,
    #[diesel(sql_type = BigInt)]
    last: i64,
    #[diesel(embed)]
    first: FailureRow,
}

impl Store {
    /// Returns the failed units of a job by kind, the most frequent kind first; what is left after `most` kinds is counted
    /// together, as one without an id.
    pub fn failures(&mut self, job: JobId, most: usize) -> Result<Vec<FailureCluster>, StoreError> {
        self.read("read the failures", |conn| {
            provide_kinds(conn, job)?;
            let (first, last) = numbers_of(job);
            let query = diesel::sql_query(KINDS).bind::<BigInt, _>(first).bind::<BigInt, _>(last);
            let mut found: Vec<FailureCluster> = Vec::new();
            for row in query.load_iter::<KindRow, DefaultLoadingMode>(conn)? {
                let KindRow { kind, failed, last, first } = row?;
                let (first, last, failure) = (seq_of(first.id), seq_of(last), FailureEvidence::from(first));
                let (id, text) = match found.len() {
                    kinds if kinds < most => (Some(ClusterId::from_number(kind)), failure.masked()),
                    _ => (None, "failures of other kinds".to_owned()),
                };
                match found.last_mut().filter(|others| others.id.is_none()) {
                    Some(others) => {
                        others.count += failed;
                        (others.first, others.last) = (others.first.min(first), others.last.max(last));
                    }
                    None => {
                        let example = failure.words().chars().take(EXAMPLE_CHARS).collect();
                        found.push(FailureCluster {
                            id,
                            cause: failure.cause,
                            text,
                            count: failed,
                            first,
                            last,
                            example,
                        });
                    }
                }
            }
            Ok(found)
        })
    }

    /// Returns why up to `limit` failed units failed, the highest numbers first; its cost does not depend on the others.
    pub fn last_failures(&mut self, job: JobId, limit: i64) -> Result<Vec<(Seq, FailureEvidence)>, StoreError> {
        self.read("read the failures", |conn| {
            let (first, last) = numbers_of(job);
            let query = diesel::sql_query(LAST_FAILED).bind::<BigInt, _>(first).bind::<BigInt, _>(last);
            let rows: Vec<FailureRow> = query.bind::<BigInt, _>(limit).load(conn)?;
            Ok(rows.into_iter().map(|row| (seq_of(row.id), row.into())).collect())
        })
    }
}

/// Works out of which kind the failure of a unit is that has just failed.
pub(super) fn keep_kind(conn: &mut SqliteConnection, unit: UnitId) -> Result<(), Failure> {
    ForgetKind { unit: unit.raw() }.execute(conn)?;
    keep_kinds(conn, unit.raw() - 1, unit.raw())
}

/// Works out the kinds of failed units after one and up to another that have none.
pub(super) fn keep_kinds(conn: &mut SqliteConnection, mut after: i64, through: i64) -> Result<(), Failure> {
    while after < through {
        let page: Vec<FailureRow> = WithoutKind { after, through, limit: PAGE_UNITS }.load(conn)?;
        after = page.last().map_or(through, |row| row.id);
        for row in page {
            KeepKind { unit: row.id, kind: FailureEvidence::from(row).cluster().as_number() }.execute(conn)?;
        }
    }
    Ok(())
}

/// Makes the kinds of a job's failures known to a connection whose database has none.
pub(super) fn provide_kinds(conn: &mut SqliteConnection, job: JobId) -> Result<(), Failure> {
    let tables: i64 = HasKinds {}.get_result(conn)?;
    if tables > 0 {
        return Ok(());
    }
    conn.batch_execute(
        "PRAGMA query_only = OFF;
         CREATE TEMP TABLE IF NOT EXISTS failure_kinds (unit_id INTEGER NOT NULL PRIMARY KEY, kind INTEGER NOT NULL);
         CREATE INDEX IF NOT EXISTS temp.failure_kinds_kind ON failure_kinds (kind);",
    )?;
    let (first, last) = numbers_of(job);
    let provided = keep_kinds(conn, first - 1, last);
    conn.batch_execute("PRAGMA query_only = ON")?;
    provided
}

fn numbers_of(job: JobId) -> (i64, i64) {
    (UnitId::new(job, Seq::FIRST).raw(), UnitId::new(job, Seq::MAX).raw())
}

fn seq_of(id: i64) -> Seq {
    UnitId::from_raw(id).seq()
}

impl From<FailureRow> for FailureEvidence {
    fn from(row: FailureRow) -> FailureEvidence {
        // One that cannot be read is named where the attempt is shown.
        let cause = row.cause.known().map_or(Cause::Failed, |word| word.0);
        let exit_code = row.exit_code.and_then(|code| i32::try_from(code).ok());
        FailureEvidence { cause, exit_code, error: row.error, stderr: row.stderr.into_text() }
    }
}

#[cfg(test)]
mod tests;
