//! What a person decides about units that completed: to accept them, or to have them done again.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::{FlagRefused, FlaggedAttempt, flag_of, put};
use crate::model::{Cause, Decision, JobId, NewUnit, Outdated, Row, Seq, Timestamp, UnitFilter, UnitId, UnitStatus};
use crate::store::columns::{Checked, TextColumn, Word, count, text_of};
use crate::store::connection::DbConnection;
use crate::store::create::insert_units;
use crate::store::failure::Failure;
use crate::store::filter::{condition, is_current};
use crate::store::finalizer::{is_last, is_other, retire_finalizer};
use crate::store::jobs::lock_job;
use crate::store::made_paths::{PathOf, record_new};
use crate::store::same_key::SameKey;
use crate::store::schema::{attempts, units};
use crate::store::statement::statement;
use crate::store::steer::reopen;
use crate::store::written::kept;
use crate::store::{Store, StoreError};

/// The doubt about a unit that somebody looked at although nobody had flagged it.
const LOOKED_AT: &str = "looked at";
/// What the next attempt is told of a unit that is done again without a word.
const NOT_ACCEPTED: &str = "a reviewer did not accept the result";

statement! {
    struct Decide<'a> {
        "UPDATE flags SET decision = " decision: &'static str as Text,
        ", decided_by = " by: &'a str as Text,
        ", decided_at = " at: i64 as BigInt,
        ", note = " note: Option<&'a str> as Nullable<Text>,
        " WHERE decision IS NULL AND unit_id = " unit: i64 as BigInt,
    }
    ""
}

/// A decision, and whose it is.
#[derive(Debug, Clone, Copy)]
pub struct Verdict<'a> {
    /// Who decided.
    pub by: &'a str,
    /// What they had to say.
    pub note: Option<&'a str>,
    /// When.
    pub at: Timestamp,
}

/// What a unit that is done again leaves to the one that replaces it.
#[derive(Queryable)]
struct Former {
    key: TextColumn,
    payload: Checked<String>,
    attempts: i64,
    revision: i64,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    exit_code: Option<i64>,
    result: TextColumn,
    stdout: TextColumn,
    stderr: TextColumn,
    group: TextColumn,
}

impl Store {
    /// Returns the units that a filter selects of those that can be decided about, in order of their numbers.
    pub fn reviewable(&mut self, job: JobId, filter: &UnitFilter) -> Result<Vec<Seq>, StoreError> {
        self.read("look for units to review", |conn| {
            let completed = UnitFilter { statuses: vec![UnitStatus::Completed], ..filter.clone() };
            let wanted = units::table.filter(condition(conn, job, &completed)?).filter(is_other()).filter(is_current());
            let ids: Vec<i64> = wanted.order(units::id).select(units::id).load(conn)?;
            Ok(ids.into_iter().map(|id| UnitId::from_raw(id).seq()).collect())
        })
    }

    /// Accepts units that completed, in one transaction.
    ///
    /// # Errors
    /// [`FlagRefused::Decided`] when somebody has decided about one of them, and [`FlagRefused::NotCompleted`]; nothing is changed then.
    pub fn accept_units(&mut self, job: JobId, seqs: &[Seq], verdict: Verdict<'_>) -> Result<(), StoreError> {
        self.write("accept units", |conn| {
            lock_job(conn, job)?;
            seqs.iter().try_for_each(|seq| decide(conn, UnitId::new(job, *seq), Decision::Accepted, verdict).map(drop))
        })
    }

    /// Has units that completed done again, in one transaction, and returns the numbers of those that replace them: each has the same
    /// item, and knows the note as the error of the attempt before.
    ///
    /// The completed units stay as they are, and are part of the job no more.
    ///
    /// # Errors
    /// As for [`Store::accept_units`].
    pub fn redo_units(
        &mut self,
        job: JobId,
        seqs: &[Seq],
        verdict: Verdict<'_>,
        path_of: Option<PathOf<'_>>,
    ) -> Result<Vec<Seq>, StoreError> {
        self.write("have units done again", |conn| {
            let before = lock_job(conn, job)?.progress.total;
            let mut made = Vec::new();
            for (place, seq) in seqs.iter().enumerate() {
                let former = decide(conn, UnitId::new(job, *seq), Decision::Redone, verdict)?;
                let place = i64::try_from(place).expect("a slice is shorter");
                let new = UnitId::new(job, Seq(before + 1 + place));
                replace(conn, UnitId::new(job, *seq), former, new, verdict)?;
                made.push(new.seq());
            }
            if let Some(path_of) = path_of {
                record_new(conn, job, Seq(before), path_of)?;
            }
            if !made.is_empty() {
                retire_finalizer(conn, job, verdict.at)?;
            }
            reopen(conn, job)?;
            Ok(made)
        })
    }
}

/// Writes a decision down, and returns what its unit is. One that nobody had flagged is flagged with it.
fn decide(conn: &mut DbConnection, unit: UnitId, decision: Decision, verdict: Verdict<'_>) -> Result<Former, Failure> {
    let row = units::table.find(unit.raw()).select((
        units::status,
        (
            units::key,
            units::payload,
            units::attempts,
            units::revision,
            units::started_at,
            units::finished_at,
            units::exit_code,
            units::result,
            units::stdout,
            units::stderr,
            units::grp,
        ),
    ));
    let (job, seq) = (unit.job(), unit.seq());
    let Some((status, former)) = row.first::<(Checked<Word<UnitStatus>>, Former)>(conn).optional()? else {
        return Err(StoreError::from(FlagRefused::NoUnit { job, seq }).into());
    };
    if is_last(conn, unit)? {
        return Err(StoreError::from(FlagRefused::LastUnit { job }).into());
    }
    let status = status.of(Row::Unit(unit), "status")?.0;
    if status != UnitStatus::Completed {
        return Err(StoreError::from(FlagRefused::NotCompleted { job, seq, status }).into());
    }
    match flag_of(conn, unit)? {
        Some(flag) => {
            if let Some(decision) = flag.decision {
                let by = flag.decided_by.unwrap_or_else(|| "somebody".to_owned());
                return Err(StoreError::from(FlagRefused::Decided { job, seq, decision, by }).into());
            }
        }
        None => {
            let started_at = former.started_at.map(Timestamp::from_micros);
            let attempt = FlaggedAttempt { number: count(former.attempts), revision: former.revision, started_at };
            put(conn, unit, attempt, LOOKED_AT)?;
        }
    }
    let note = verdict.note.map(|note| kept(conn, note));
    let (by, at) = (verdict.by, verdict.at.as_micros());
    Decide { decision: decision.as_str(), by, at, note: note.as_deref(), unit: unit.raw() }.execute(conn)?;
    Ok(former)
}

/// Puts a unit with the same item and key in the place of one that completed. It comes back, as after an attempt that was rejected:
/// what that attempt has printed, and the file that it has made, are known to the next one.
fn replace(
    conn: &mut DbConnection,
    unit: UnitId,
    former: Former,
    new: UnitId,
    verdict: Verdict<'_>,
) -> Result<(), Failure> {
    let place = Row::Unit(unit);
    let unit_row = NewUnit {
        payload: former.payload.of(place, "payload")?,
        key: text_of(former.key, place, "key")?,
        group: text_of(former.group, place, "grp")?,
    };
    diesel::update(units::table.find(unit.raw()))
        .set((units::outdated.eq(Outdated::Replaced.as_str()), units::key.eq(None::<&str>)))
        .execute(conn)?;
    insert_units(conn, unit.job(), &[unit_row], SameKey::Refuse)?;
    diesel::update(units::table.find(new.raw())).set(units::not_before.eq(verdict.at.as_micros())).execute(conn)?;
    let error = kept(conn, verdict.note.unwrap_or(NOT_ACCEPTED));
    // A result stands where its output would be shown.
    let stdout = former.stdout.or(former.result);
    diesel::insert_into(attempts::table)
        .values((
            attempts::unit_id.eq(new.raw()),
            attempts::attempt.eq(former.attempts),
            attempts::epoch.eq(0),
            attempts::started_at.eq(former.started_at),
            attempts::ended_at.eq(former.finished_at.unwrap_or(verdict.at.as_micros())),
            attempts::cause.eq(Cause::Rejected.as_str()),
            attempts::exit_code.eq(former.exit_code),
            attempts::error.eq(error),
            attempts::stdout.eq(text_of(stdout, place, "stdout")?),
            attempts::stderr.eq(text_of(former.stderr, place, "stderr")?),
        ))
        .execute(conn)?;
    Ok(())
}
