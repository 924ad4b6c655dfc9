//! Failed units of several items, replaced by one unit for each item.

use diesel::prelude::*;

use super::columns::Checked;
use super::connection::DbConnection;
use super::counters::shift;
use super::create::insert_units;
use super::failure::Failure;
use super::filter::{condition, is_current};
use super::finalizer;
use super::jobs::lock_job;
use super::made_paths::{PathOf, record_new};
use super::same_key::SameKey;
use super::schema::units;
use super::steer::{literal, reopen, retried, send_back};
use super::{Store, StoreError};
use crate::model::{JobId, NewUnit, Outdated, Row, Seq, Timestamp, UnitFilter, UnitId, UnitStatus};

/// Reason of a unit that others replace.
const SPLIT: &str = "split into units of one item, which replace it";
/// Units read at a time; the payload of each may be large.
const PAGE: i64 = 100;

impl Store {
    /// Sends units back to pending as [`Store::retry_units`] does, but replaces each one of which `split` makes several by
    /// these, and returns how many are pending now.
    ///
    /// The new units come after all others, in the order of those they replace, which are skipped and marked. All of it is
    /// one transaction: after a crash nothing or everything has happened, and a second call finds nothing to split.
    ///
    /// # Errors
    /// [`StoreError::NotSplit`] when `split` refuses a unit, and [`StoreError::SamePath`] when two of the new units would
    /// make the same path; nothing is changed then.
    pub fn split_units<E: std::error::Error + Send + Sync + 'static>(
        &mut self,
        job: JobId,
        filter: &UnitFilter,
        now: Timestamp,
        split: impl Fn(&str) -> Result<Vec<NewUnit>, E>,
        path_of: Option<PathOf<'_>>,
    ) -> Result<i64, StoreError> {
        self.write("split units", |conn| {
            let before = Seq(lock_job(conn, job)?.progress.total);
            let mut made = 0;
            for status in retried(filter) {
                made += split_in(conn, job, filter, status, now, &split)?;
            }
            if let Some(path_of) = path_of {
                record_new(conn, job, before, path_of)?;
            }
            let moved = made + send_back(conn, job, filter, finalizer::is_other, now)?;
            if moved > 0 {
                finalizer::retire_finalizer(conn, job, now)?;
            }
            reopen(conn, job)?;
            Ok(moved)
        })
    }
}

/// Replaces the units in one state that a filter selects, and returns how many units replace them.
fn split_in<E: std::error::Error + Send + Sync + 'static>(
    conn: &mut DbConnection,
    job: JobId,
    filter: &UnitFilter,
    status: UnitStatus,
    now: Timestamp,
    split: impl Fn(&str) -> Result<Vec<NewUnit>, E>,
) -> Result<i64, Failure> {
    let (mut after, mut made, mut replaced) = (Seq(0), 0, 0);
    loop {
        let selected = units::table
            .filter(literal(status))
            .filter(condition(conn, job, &filter.after(after))?)
            .filter(finalizer::is_other())
            .filter(is_current())
            .order(units::id)
            .limit(PAGE);
        let page: Vec<(i64, Checked<String>)> = selected.select((units::id, units::payload)).load(conn)?;
        let Some((last, _)) = page.last() else {
            shift(conn, job, status, UnitStatus::Skipped, replaced)?;
            return Ok(made);
        };
        after = UnitId::from_raw(*last).seq();
        for (id, payload) in page {
            let unit = UnitId::from_raw(id);
            let refused = |error: E| StoreError::NotSplit { seq: unit.seq(), source: error.into() };
            let several = split(&payload.of(Row::Unit(unit), "payload")?).map_err(refused)?;
            if several.len() < 2 {
                continue;
            }
            diesel::update(units::table.find(id))
                .set((
                    units::status.eq(UnitStatus::Skipped.as_str()),
                    units::not_before.eq(None::<i64>),
                    units::error.eq(SPLIT),
                    units::outdated.eq(Outdated::Replaced.as_str()),
                    units::started_at.eq(None::<i64>),
                    units::finished_at.eq(now.as_micros()),
                    units::revision.eq(units::revision + 1),
                ))
                .execute(conn)?;
            replaced += 1;
            let added = insert_units(conn, job, &several, SameKey::Refuse)?;
            made += i64::try_from(added).expect("a payload has fewer items than 64 bits count");
        }
    }
}
