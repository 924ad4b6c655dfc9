//! Why units failed, and of which kind each failure is.
//!
//! The kind is worked out when the unit fails and kept in a table that only failed units enter. Whoever reads it asks for the
//! state of the unit as well, because a unit that was sent back keeps the kind of its last failure. For a database of a
//! schema without that table the same rows are made in a temporary one, which nobody else sees.

use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::columns::{Checked, Word};
use super::connection::DbConnection;
use super::failure::Failure;
use super::statement::statement;
use super::written::Written;
use super::{Store, StoreError, UnitChange};
use crate::model::{AttemptEnd, Cause, ClusterId, FailureCluster, FailureEvidence, JobId, Seq, Timestamp, UnitId};

/// Units whose kinds are worked out at a time.
const PAGE_UNITS: i64 = 100;
/// Longest example that is kept.
const EXAMPLE_CHARS: usize = 1000;

/// What the kind of a unit's failure depends on, as SQL. A unit without attempts on record failed in no special way.
macro_rules! evidence {
    () => {
        "units.id, coalesce((SELECT cause FROM attempts WHERE attempts.unit_id = units.id ORDER BY attempts.id DESC LIMIT 1), \
         'failed'), exit_code, coalesce(error, ''), stderr"
    };
}

type EvidenceColumns = (BigInt, Text, Nullable<BigInt>, Text, Nullable<Text>);
/// A kind, how many units are of it, the last one, and the first one.
type KindRow = (i64, i64, i64, EvidenceRow);
type EvidenceRow = (i64, Checked<Word<Cause>>, Option<i64>, Checked<String>, Option<Written>);

macro_rules! failed {
    ($failed:literal) => {
        concat!("SELECT ", evidence!(), " FROM ", $failed, " AND id > ")
    };
}

/// Each kind with its first unit.
macro_rules! kinds {
    ($failed:literal) => {
        concat!(
            "SELECT kinds.kind AS kind, failed, last, ",
            evidence!(),
            " FROM (SELECT failure_kinds.kind AS kind, count(*) AS failed, min(id) AS first, max(id) AS last FROM ",
            $failed,
            " AND id BETWEEN "
        )
    };
}

const FAILED: &str = failed!("units INDEXED BY units_failed WHERE status = 'failed'");
const KINDS: &str =
    kinds!("units INDEXED BY units_failed CROSS JOIN failure_kinds ON unit_id = id WHERE status = 'failed'");
#[cfg(feature = "postgres")]
const FAILED_ON_POSTGRES: &str = failed!("units WHERE status = 'failed' AND error IS NOT NULL");
#[cfg(feature = "postgres")]
const KINDS_ON_POSTGRES: &str =
    kinds!("units JOIN failure_kinds ON unit_id = id WHERE status = 'failed' AND error IS NOT NULL");

statement! {
    struct Kinds {
        [KINDS KINDS_ON_POSTGRES] first: i64 as BigInt,
        " AND " last: i64 as BigInt,
    }
    " GROUP BY failure_kinds.kind) AS kinds JOIN units ON units.id = first ORDER BY failed DESC, first"
    -> (BigInt, BigInt, BigInt, EvidenceColumns)
}

statement! {
    struct KindsOfGroup {
        [KINDS KINDS_ON_POSTGRES] first: i64 as BigInt,
        " AND " last: i64 as BigInt,
        " AND grp = " group: String as Text,
    }
    " GROUP BY failure_kinds.kind) AS kinds JOIN units ON units.id = first ORDER BY failed DESC, first"
    -> (BigInt, BigInt, BigInt, EvidenceColumns)
}

statement! {
    // So many that a picture can be drawn from them: no more are looked at, whatever has failed.
    struct FailedOfLate {
        ["SELECT failure_kinds.kind, finished_at FROM units INDEXED BY units_failed CROSS JOIN failure_kinds ON unit_id = id \
          WHERE status = 'failed' AND id BETWEEN "
         "SELECT failure_kinds.kind, finished_at FROM units JOIN failure_kinds ON unit_id = id \
          WHERE status = 'failed' AND error IS NOT NULL AND id BETWEEN "] first: i64 as BigInt,
        " AND " last: i64 as BigInt,
    }
    " ORDER BY id DESC LIMIT 5000" -> (BigInt, Nullable<BigInt>)
}

statement! {
    struct LastFailed {
        [FAILED FAILED_ON_POSTGRES] after: i64 as BigInt,
        " AND id <= " through: i64 as BigInt,
        " ORDER BY id DESC LIMIT " limit: i64 as BigInt,
    }
    "" -> EvidenceColumns
}

statement! {
    struct WithoutKind {
        [FAILED FAILED_ON_POSTGRES] after: i64 as BigInt,
        " AND id <= " through: i64 as BigInt,
        " AND NOT EXISTS (SELECT 1 FROM failure_kinds WHERE unit_id = units.id) ORDER BY id LIMIT "
            limit: i64 as BigInt,
    }
    "" -> EvidenceColumns
}

statement! {
    struct KeepKind {
        "INSERT INTO failure_kinds (unit_id, kind) VALUES (" unit: i64 as BigInt,
        ", " kind: i64 as BigInt,
    }
    ") ON CONFLICT (unit_id) DO UPDATE SET kind = excluded.kind"
}

statement! {
    // In the database, and in what this connection has made for itself.
    struct HasKinds {}
    ["SELECT (SELECT count(*) FROM main.sqlite_schema WHERE name = 'failure_kinds'), \
      (SELECT count(*) FROM temp.sqlite_schema WHERE name = 'failure_kinds')"
     "SELECT 1::bigint, 0::bigint"] -> (BigInt, BigInt)
}

impl Store {
    /// Returns the failed units of a job by kind, the most frequent kind first; what is left after `most` kinds is counted
    /// together, as one without an id.
    pub fn failures(&mut self, job: JobId, most: usize) -> Result<Vec<FailureCluster>, StoreError> {
        self.read("read the failures", |conn| {
            provide_kinds(conn, job)?;
            let [first, last] = UnitId::ends_of(job);
            added_up(Kinds { first, last }.load_iter::<KindRow, DefaultLoadingMode>(conn)?, most)
        })
    }

    /// Returns the same of the units of one group.
    pub fn failures_of_group(
        &mut self,
        job: JobId,
        group: &str,
        most: usize,
    ) -> Result<Vec<FailureCluster>, StoreError> {
        self.read("read the failures", |conn| {
            provide_kinds(conn, job)?;
            let [first, last] = UnitId::ends_of(job);
            added_up(
                KindsOfGroup { first, last, group: group.to_owned() }.load_iter::<KindRow, DefaultLoadingMode>(conn)?,
                most,
            )
        })
    }

    /// Returns of which kind the failed units with the highest numbers are, and when they failed; up to 5,000 of them.
    pub fn failed_of_late(&mut self, job: JobId) -> Result<Vec<(ClusterId, Timestamp)>, StoreError> {
        self.read("read the failures", |conn| {
            provide_kinds(conn, job)?;
            let [first, last] = UnitId::ends_of(job);
            let rows: Vec<(i64, Option<i64>)> = FailedOfLate { first, last }.load(conn)?;
            let known =
                |(kind, at): (i64, Option<i64>)| Some((ClusterId::from_number(kind), Timestamp::from_micros(at?)));
            Ok(rows.into_iter().filter_map(known).collect())
        })
    }

    /// Returns why up to `limit` failed units failed, in words, the highest numbers first; its cost does not depend on the others.
    pub fn last_failures(&mut self, job: JobId, limit: i64) -> Result<Vec<(Seq, String)>, StoreError> {
        self.read("read the failures", |conn| {
            let [first, through] = UnitId::ends_of(job);
            let rows: Vec<EvidenceRow> = LastFailed { after: first - 1, through, limit }.load(conn)?;
            Ok(rows.iter().map(|row| (seq_of(row.0), evidence(row).words())).collect())
        })
    }
}

fn added_up(rows: impl Iterator<Item = QueryResult<KindRow>>, most: usize) -> Result<Vec<FailureCluster>, Failure> {
    let mut found: Vec<FailureCluster> = Vec::new();
    for row in rows {
        let (kind, count, last, row) = row?;
        let (first, last, failure) = (seq_of(row.0), seq_of(last), evidence(&row));
        if let Some(others) = found.get_mut(most) {
            others.count += count;
            (others.first, others.last) = (others.first.min(first), others.last.max(last));
            continue;
        }
        let (id, text) = match found.len() {
            kinds if kinds < most => (Some(ClusterId::from_number(kind)), failure.masked()),
            _ => (None, "failures of other kinds".to_owned()),
        };
        let example = failure.words().chars().take(EXAMPLE_CHARS).collect();
        found.push(FailureCluster { id, cause: failure.cause, text, count, first, last, example });
    }
    Ok(found)
}

/// Keeps of which kind the failure of a unit is that has just failed.
pub(super) fn keep_kind(conn: &mut DbConnection, change: &UnitChange) -> Result<(), Failure> {
    let Some((AttemptEnd { exit_code, output, .. }, (cause, error))) = change.end.as_ref().zip(change.failure()) else {
        return Ok(());
    };
    let failure = FailureEvidence { cause, exit_code: *exit_code, error, stderr: output.stderr.as_ref() };
    KeepKind { unit: change.unit.raw(), kind: failure.cluster().as_number() }.execute(conn)?;
    Ok(())
}

/// Works out the kinds of failed units after one and up to another that have none.
pub(super) fn keep_kinds(conn: &mut DbConnection, mut after: i64, through: i64) -> Result<(), Failure> {
    loop {
        let page: Vec<EvidenceRow> = WithoutKind { after, through, limit: PAGE_UNITS }.load(conn)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.0;
        for row in &page {
            KeepKind { unit: row.0, kind: evidence(row).cluster().as_number() }.execute(conn)?;
        }
    }
}

fn evidence((_, cause, exit_code, error, stderr): &EvidenceRow) -> FailureEvidence<'_> {
    FailureEvidence {
        // One that cannot be read is named where the attempt is shown.
        cause: cause.known().map_or(Cause::Failed, |word| word.0),
        exit_code: exit_code.and_then(|code| i32::try_from(code).ok()),
        error: error.shown(),
        stderr: stderr.as_ref().map(|written| &written.0),
    }
}

/// Makes the kinds of a job's failures known to a connection whose database has none, again each time: managers of an older
/// version may run, and somebody may bring the database up to date, whose own kinds those made here would hide.
pub(super) fn provide_kinds(conn: &mut DbConnection, job: JobId) -> Result<(), Failure> {
    let (in_database, own): (i64, i64) = HasKinds {}.get_result(conn)?;
    if in_database > 0 && own == 0 {
        return Ok(());
    }
    conn.batch_execute("PRAGMA query_only = OFF")?;
    let provided = replace_own_kinds(conn, job, in_database == 0);
    conn.batch_execute("PRAGMA query_only = ON")?;
    provided
}

fn replace_own_kinds(conn: &mut DbConnection, job: JobId, are_needed: bool) -> Result<(), Failure> {
    conn.batch_execute("DROP TABLE IF EXISTS temp.failure_kinds")?;
    if !are_needed {
        return Ok(());
    }
    conn.batch_execute(
        "CREATE TEMP TABLE failure_kinds (unit_id INTEGER NOT NULL PRIMARY KEY, kind INTEGER NOT NULL);
         CREATE INDEX temp.failure_kinds_kind ON failure_kinds (kind);",
    )?;
    let [first, last] = UnitId::ends_of(job);
    keep_kinds(conn, first - 1, last)
}

fn seq_of(id: i64) -> Seq {
    UnitId::from_raw(id).seq()
}

#[cfg(test)]
mod tests;
