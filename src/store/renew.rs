//! Units whose content has changed since they were inserted.

use diesel::prelude::*;

use super::create::{SameKey, insert_units};
use super::last::set_aside;
use super::schema::{unit_notes, units};
use super::steer::{reopen, shift};
use super::{Store, StoreError};
use crate::model::{JobId, NewUnit, Seq, Timestamp, UnitId, UnitStatus};

/// Reason of a unit that another one replaces.
pub const REPLACED: &str = "changed in the source, another unit replaces it";

impl Store {
    /// Gives units new content, and returns how many of them wait to be run with it; one that runs is left alone.
    ///
    /// A unit that had ended goes back to pending with all its attempts. One that was pending may be on its way to a
    /// worker with its old content: it is left out, and a new unit takes its key.
    pub fn renew_units(&mut self, job: JobId, new: &[(Seq, NewUnit)], now: Timestamp) -> Result<usize, StoreError> {
        self.write("renew units", |conn| {
            super::jobs::job_row(conn, job)?;
            let mut renewed = 0;
            for (seq, unit) in new {
                let row = units::table.find(UnitId::new(job, *seq).raw());
                let status: String = row.select(units::status).get_result(conn)?;
                match status.parse() {
                    Ok(UnitStatus::Running) | Err(_) => continue,
                    Ok(UnitStatus::Pending) => {
                        diesel::update(row)
                            .set((
                                units::status.eq(UnitStatus::Skipped.as_str()),
                                units::key.eq(None::<&str>),
                                units::not_before.eq(None::<i64>),
                                units::error.eq(REPLACED),
                                units::finished_at.eq(now.as_micros()),
                            ))
                            .execute(conn)?;
                        shift(conn, job, UnitStatus::Pending, UnitStatus::Skipped, 1)?;
                        insert_units(conn, job, std::slice::from_ref(unit), SameKey::Refuse)?;
                    }
                    Ok(ended) => {
                        diesel::update(row)
                            .set((
                                units::payload.eq(&unit.payload),
                                units::status.eq(UnitStatus::Pending.as_str()),
                                units::not_before.eq(now.as_micros()),
                                units::attempts.eq(0),
                                units::crashes.eq(0),
                                units::result.eq(None::<&str>),
                                units::error.eq(None::<&str>),
                                units::finished_at.eq(None::<i64>),
                            ))
                            .execute(conn)?;
                        // What was kept was kept for other content.
                        diesel::delete(unit_notes::table.find(UnitId::new(job, *seq).raw())).execute(conn)?;
                        shift(conn, job, ended, UnitStatus::Pending, 1)?;
                    }
                }
                renewed += 1;
            }
            if renewed > 0 {
                set_aside(conn, job, now)?;
            }
            reopen(conn, job)?;
            Ok(renewed)
        })
    }
}
