//! The units that a manager may run: ranges of consecutive numbers, each claimed by one.

use diesel::prelude::*;

use super::connection::on_server;
use super::schema::jobs;
use super::{Lease, Store, StoreError, postgres};
use crate::model::Seq;

/// Consecutive units of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitRange {
    /// All have a higher number.
    pub after: Seq,
    /// None has a higher one; [`Seq::MAX`] where units that are added later are among them.
    pub through: Seq,
}

impl Store {
    /// Claims a range of units for their first attempts; `None` when none is left to claim.
    ///
    /// A job has one manager here, so that its range is everything but what no manager has to look at again.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when a later manager has taken over.
    pub fn claim(&mut self, lease: Lease) -> Result<Option<UnitRange>, StoreError> {
        if on_server(&mut self.conn) {
            return self.write("claim units", |conn| postgres::claim(conn, lease));
        }
        self.read("read the job", |conn| {
            let row = jobs::table.find(lease.job.0).filter(jobs::epoch.eq(lease.epoch.0));
            let after: Option<i64> = row.select(jobs::claimed_through).first(conn).optional()?;
            let after = Seq(after.ok_or(lease.fenced())?);
            Ok(Some(UnitRange { after, through: Seq::MAX }))
        })
    }
}
