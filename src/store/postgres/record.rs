//! Changes of many units in few statements, because each of them is a round trip.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text};

use crate::model::{Timestamp, UnitId, UnitStatus};
use crate::store::UnitChange;
use crate::store::connection::DbConnection;
use crate::store::failure::Failure;
use crate::store::written::{column, without_nul};

/// What becomes of one row. The start and the end of an attempt are one when neither was recorded before.
#[derive(Debug)]
pub(in crate::store) struct Move<'a> {
    /// State it is expected in.
    pub from: UnitStatus,
    /// The change, or the last of those that became one.
    pub change: &'a UnitChange,
    seen_attempts: u32,
    started_at: Option<Timestamp>,
    slot: Option<u32>,
}

/// Groups changes so that each group has a unit once, and each unit's changes follow each other through the groups.
pub(in crate::store) fn waves(changes: &[UnitChange]) -> Vec<Vec<Move<'_>>> {
    let mut waves: Vec<Vec<Move<'_>>> = Vec::new();
    let mut latest: HashMap<UnitId, (usize, usize)> = HashMap::new();
    for change in changes {
        let mut wave = 0;
        if let Some(&(at, index)) = latest.get(&change.unit) {
            let before = &mut waves[at][index];
            if before.change.end.is_none() && change.from == before.change.to && change.end.is_some() {
                before.change = change;
                before.started_at = change.started_at.or(before.started_at);
                before.slot = change.slot.or(before.slot);
                continue;
            }
            wave = at + 1;
        }
        if wave == waves.len() {
            waves.push(Vec::new());
        }
        latest.insert(change.unit, (wave, waves[wave].len()));
        let &UnitChange { from, seen_attempts, started_at, slot, .. } = change;
        waves[wave].push(Move { from, change, seen_attempts, started_at, slot });
    }
    waves
}

/// Changes the rows of one group, and returns those that were in the expected state.
pub(in crate::store) fn apply(conn: &mut DbConnection, wave: &[Move<'_>]) -> Result<Vec<UnitId>, Failure> {
    let DbConnection::Postgres(conn) = conn else { unreachable!("only a server gets groups of changes") };
    let (ends, starts): (Vec<_>, Vec<_>) = wave.iter().partition(|row| row.change.end.is_some());
    let mut changed = Vec::new();
    if !starts.is_empty() {
        changed.extend(start(conn, &starts)?);
    }
    if !ends.is_empty() {
        changed.extend(end(conn, &ends)?);
    }
    Ok(changed.into_iter().map(|row| UnitId::from_raw(row.id)).collect())
}

#[derive(QueryableByName)]
struct Changed {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

fn start(conn: &mut PgConnection, starts: &[&Move<'_>]) -> QueryResult<Vec<Changed>> {
    const SQL: &str = "UPDATE units SET status = 'running', not_before = NULL, attempts = v.attempts, started_at = v.started_at, \
        slot = v.slot FROM unnest($1, $2, $3, $4, $5, $6) AS v(id, seen, revision, attempts, started_at, slot) \
        WHERE units.id = v.id AND units.status = 'pending' AND units.attempts = v.seen AND units.revision = v.revision \
        RETURNING units.id";
    diesel::sql_query(SQL)
        .bind::<Array<BigInt>, _>(of(starts, |row| row.change.unit.raw()))
        .bind::<Array<BigInt>, _>(of(starts, |row| i64::from(row.seen_attempts)))
        .bind::<Array<BigInt>, _>(of(starts, |row| row.change.revision))
        .bind::<Array<BigInt>, _>(of(starts, |row| i64::from(row.change.attempts)))
        .bind::<Array<Nullable<BigInt>>, _>(of(starts, |row| row.started_at.map(Timestamp::as_micros)))
        .bind::<Array<Nullable<BigInt>>, _>(of(starts, |row| row.slot.map(i64::from)))
        .load(conn)
}

fn end(conn: &mut PgConnection, ends: &[&Move<'_>]) -> QueryResult<Vec<Changed>> {
    const SQL: &str = "UPDATE units SET status = v.status, attempts = v.attempts, crashes = v.crashes, not_before = v.not_before, \
        started_at = coalesce(v.started_at, units.started_at), finished_at = CASE WHEN v.finished_at IS NOT NULL \
        THEN greatest(v.finished_at, coalesce(units.started_at, 0)) END, exit_code = v.exit_code, signal = v.signal, \
        error = v.error, result = CASE v.status WHEN 'completed' THEN coalesce(v.result, units.result) END, \
        stdout = v.stdout, stderr = v.stderr, slot = coalesce(v.slot, units.slot) \
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) AS v(id, was, seen, revision, \
        status, attempts, crashes, not_before, started_at, finished_at, exit_code, signal, error, result, stdout, stderr, slot) \
        WHERE units.id = v.id AND units.status = v.was AND units.attempts = v.seen AND units.revision = v.revision \
        RETURNING units.id";
    let finished_at =
        |change: &UnitChange| change.ended_at.filter(|_| change.to.is_terminal()).map(Timestamp::as_micros);
    let code = |row: &Move<'_>| row.change.end.as_ref().and_then(|end| end.exit_code).map(i64::from);
    let signal = |row: &Move<'_>| row.change.end.as_ref().and_then(|end| end.signal).map(i64::from);
    diesel::sql_query(SQL)
        .bind::<Array<BigInt>, _>(of(ends, |row| row.change.unit.raw()))
        .bind::<Array<Text>, _>(of(ends, |row| row.from.as_str()))
        .bind::<Array<BigInt>, _>(of(ends, |row| i64::from(row.seen_attempts)))
        .bind::<Array<BigInt>, _>(of(ends, |row| row.change.revision))
        .bind::<Array<Text>, _>(of(ends, |row| row.change.to.as_str()))
        .bind::<Array<BigInt>, _>(of(ends, |row| i64::from(row.change.attempts)))
        .bind::<Array<BigInt>, _>(of(ends, |row| i64::from(row.change.crashes)))
        .bind::<Array<Nullable<BigInt>>, _>(of(ends, |row| row.change.not_before.map(Timestamp::as_micros)))
        .bind::<Array<Nullable<BigInt>>, _>(of(ends, |row| row.started_at.map(Timestamp::as_micros)))
        .bind::<Array<Nullable<BigInt>>, _>(of(ends, |row| finished_at(row.change)))
        .bind::<Array<Nullable<BigInt>>, _>(of(ends, code))
        .bind::<Array<Nullable<BigInt>>, _>(of(ends, signal))
        .bind::<Array<Nullable<Text>>, _>(of(ends, |row| row.change.error().map(without_nul)))
        .bind::<Array<Nullable<Text>>, _>(of(ends, |row| row.change.result().map(without_nul)))
        .bind::<Array<Nullable<Text>>, _>(of(ends, |row| {
            column(row.change.end.as_ref().and_then(|end| end.output.stdout.as_ref()))
        }))
        .bind::<Array<Nullable<Text>>, _>(of(ends, |row| {
            column(row.change.end.as_ref().and_then(|end| end.output.stderr.as_ref()))
        }))
        .bind::<Array<Nullable<BigInt>>, _>(of(ends, |row| row.slot.map(i64::from)))
        .load(conn)
}

fn of<'a, T>(rows: &[&'a Move<'a>], value: impl Fn(&'a Move<'a>) -> T) -> Vec<T> {
    rows.iter().map(|row| value(row)).collect()
}
