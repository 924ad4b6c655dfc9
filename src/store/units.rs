//! Reading units, page by page.

use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::columns::{Checked, TextColumn, Word, counter, text_of};
use super::connection::Db;
use super::filter::condition;
use super::schema::units;
use super::written::Written;
use super::{Store, StoreError, meters, slots};
use crate::model::{
    FoundUnits, JobId, Meter, Outdated, Output, Row, Seq, Timestamp, UnitDetail, UnitFilter, UnitId, UnitOrder,
    UnitSpends, UnitStatus, Unreadable,
};

/// A unit's content and state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitContent {
    pub seq: Seq,
    pub key: Option<String>,
    pub payload: String,
    pub status: UnitStatus,
    pub outdated: Option<Outdated>,
    /// Why it ended as it did, if there is something to say.
    pub error: Option<String>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = units, check_for_backend(Db))]
struct UnitRow {
    id: i64,
    key: TextColumn,
    payload: Checked<String>,
    status: Checked<Word<UnitStatus>>,
    outdated: Option<Checked<Word<Outdated>>>,
    attempts: i64,
    crashes: i64,
    not_before: Option<i64>,
    started_at: Option<i64>,
    finished_at: Option<i64>,
    exit_code: Option<i64>,
    signal: Option<i64>,
    error: TextColumn,
    result: TextColumn,
    stdout: Option<Written>,
    stderr: Option<Written>,
}

impl TryFrom<(UnitRow, Option<i64>)> for UnitDetail {
    type Error = Unreadable;

    fn try_from((row, slot): (UnitRow, Option<i64>)) -> Result<UnitDetail, Unreadable> {
        let place = Row::Unit(UnitId::from_raw(row.id));
        Ok(UnitDetail {
            seq: UnitId::from_raw(row.id).seq(),
            key: text_of(row.key, place, "key")?,
            payload: row.payload.of(place, "payload")?,
            status: row.status.of(place, "status")?.0,
            outdated: outdated_of(row.outdated, place)?,
            attempts: counter(row.attempts, place, "attempts")?,
            crashes: counter(row.crashes, place, "crashes")?,
            // One that was chosen to be among the first waits for nothing.
            not_before: row.not_before.filter(|at| *at > 0).map(Timestamp::from_micros),
            started_at: row.started_at.map(Timestamp::from_micros),
            slot: slots::known(slot),
            finished_at: row.finished_at.map(Timestamp::from_micros),
            exit_code: row.exit_code.and_then(|code| i32::try_from(code).ok()),
            signal: row.signal.and_then(|signal| i32::try_from(signal).ok()),
            error: text_of(row.error, place, "error")?,
            result: text_of(row.result, place, "result")?,
            output: Output { stdout: row.stdout.map(|it| it.0), stderr: row.stderr.map(|it| it.0) },
            // Read where a job has such a thing.
            group: None,
            spent: UnitSpends::default(),
        })
    }
}

pub(super) fn outdated_of(column: Option<Checked<Word<Outdated>>>, place: Row) -> Result<Option<Outdated>, Unreadable> {
    column.map(|word| Ok(word.of(place, "outdated")?.0)).transpose()
}

/// What a unit is and where it stands, without what it said.
type ContentRow =
    (i64, TextColumn, Checked<String>, Checked<Word<UnitStatus>>, Option<Checked<Word<Outdated>>>, TextColumn);

impl Store {
    /// Returns a page of units as [`Store::units`] does, without their results and output: those who look at every unit
    /// of a large job want to read no more than they need.
    pub fn unit_contents(
        &mut self,
        job: JobId,
        after: Option<Seq>,
        limit: i64,
    ) -> Result<Vec<UnitContent>, StoreError> {
        self.read("read units", |conn| {
            let after = UnitId::new(job, after.unwrap_or(Seq(0))).raw();
            let rows: Vec<ContentRow> = units::table
                .filter(units::id.gt(after))
                .filter(units::id.le(UnitId::new(job, Seq::MAX).raw()))
                .order(units::id)
                .limit(limit)
                .select((units::id, units::key, units::payload, units::status, units::outdated, units::error))
                .load(conn)?;
            let content = |(id, key, payload, status, outdated, error): ContentRow| {
                let (place, seq) = (Row::Unit(UnitId::from_raw(id)), UnitId::from_raw(id).seq());
                let (status, outdated) = (status.of(place, "status")?.0, outdated_of(outdated, place)?);
                let (key, error) = (text_of(key, place, "key")?, text_of(error, place, "error")?);
                let payload = payload.of(place, "payload")?;
                Ok(UnitContent { seq, key, payload, status, outdated, error })
            };
            Ok(rows.into_iter().map(content).collect::<Result<_, Unreadable>>()?)
        })
    }

    /// Returns up to `limit` units of a job after `after`, in order of their numbers.
    ///
    /// Called with the number of the last unit of one page it returns the next: its cost does not grow with the page's
    /// position.
    pub fn units(
        &mut self,
        job: JobId,
        filter: &UnitFilter,
        after: Option<Seq>,
        limit: i64,
    ) -> Result<Vec<UnitDetail>, StoreError> {
        Ok(self.unit_page(job, filter, after, limit, usize::MAX)?.all()?)
    }

    /// Returns a page of units like [`Store::units`], with those that cannot be read, and cut after `bytes` but for the first one.
    pub fn unit_page(
        &mut self,
        job: JobId,
        filter: &UnitFilter,
        after: Option<Seq>,
        limit: i64,
        bytes: usize,
    ) -> Result<FoundUnits, StoreError> {
        self.read("list units", |conn| {
            let wanted = condition(conn, job, &filter.after(after.unwrap_or(Seq(0))))?;
            let ordered = units::table.filter(wanted).order(units::id).limit(limit);
            let query = ordered.select((UnitRow::as_select(), slots::column(conn)?));
            let (mut page, mut held) = (FoundUnits::default(), 0);
            for row in query.load_iter::<(UnitRow, Option<i64>), DefaultLoadingMode>(conn)? {
                let row = row?;
                let seq = UnitId::from_raw(row.0.id).seq();
                let unit = UnitDetail::try_from(row);
                held += unit.as_ref().map_or(0, UnitDetail::bytes);
                page.add(unit);
                if held >= bytes || page.count() == limit {
                    page.next_after = Some(seq);
                    break;
                }
            }
            meters::complete(conn, job, &mut page.units)?;
            Ok(page)
        })
    }

    /// Counts the units that a filter selects.
    pub fn count_units(&mut self, job: JobId, filter: &UnitFilter) -> Result<i64, StoreError> {
        self.read("count units", |conn| {
            Ok(units::table.filter(condition(conn, job, filter)?).count().get_result(conn)?)
        })
    }

    /// Counts the units that a filter selects and whose error ends with some words, which hold no pattern.
    pub fn count_units_told(&mut self, job: JobId, filter: &UnitFilter, words: &str) -> Result<i64, StoreError> {
        self.read("count units", |conn| {
            let told = units::error.like(format!("%{words}")).assume_not_null();
            Ok(units::table.filter(condition(conn, job, filter)?).filter(told).count().get_result(conn)?)
        })
    }

    /// Returns a page of units in another order than that of their numbers, those that are equal in it by number, with those that
    /// cannot be read; cut after `bytes` but for the first one.
    ///
    /// Reads every unit that the filter selects, of most of them only what they are compared by.
    pub fn sorted_units(
        &mut self,
        job: JobId,
        filter: &UnitFilter,
        order: UnitOrder,
        after: Option<Seq>,
        limit: i64,
        bytes: usize,
    ) -> Result<FoundUnits, StoreError> {
        let rank = match order {
            UnitOrder::Seq => return self.unit_page(job, filter, after, limit, bytes),
            UnitOrder::Duration => "coalesce(finished_at - started_at, -1)".to_owned(),
            UnitOrder::Finished => "coalesce(finished_at, -1)".to_owned(),
            UnitOrder::Attempts => "attempts".to_owned(),
            UnitOrder::Spend => match self.job(job)?.limits.meters.first() {
                // Another tool may have written the name.
                Some(Meter { name, .. }) if Meter::is_name(name) => {
                    format!("coalesce((SELECT amount FROM spends WHERE unit_id = units.id AND name = '{name}'), 0)")
                }
                _ => return self.unit_page(job, filter, after, limit, bytes),
            },
        };
        let rank = || diesel::dsl::sql::<BigInt>(&rank);
        self.read("list units", |conn| {
            let mut wanted = units::table.filter(condition(conn, job, filter)?).into_boxed();
            if let Some(after) = after {
                let after = UnitId::new(job, after).raw();
                let last: Option<i64> = units::table.find(after).select(rank()).get_result(conn).optional()?;
                let Some(last) = last else { return Ok(FoundUnits::default()) };
                wanted = wanted.filter(rank().lt(last).or(rank().eq(last).and(units::id.gt(after))));
            }
            let ids: Vec<i64> = wanted.order((rank().desc(), units::id)).limit(limit).select(units::id).load(conn)?;
            let (mut page, mut held) = (FoundUnits::default(), 0);
            let slot = slots::column(conn)?;
            for id in ids {
                let row = units::table.find(id).select((UnitRow::as_select(), slot.clone()));
                let unit = UnitDetail::try_from(row.first::<(UnitRow, Option<i64>)>(conn)?);
                held += unit.as_ref().map_or(0, UnitDetail::bytes);
                page.add(unit);
                if held >= bytes {
                    break;
                }
            }
            meters::complete(conn, job, &mut page.units)?;
            Ok(page)
        })
    }
}
