//! The units that a manager may run: ranges of consecutive numbers, each claimed by one.

use diesel::prelude::*;

use super::connection::on_server;
use super::schema::jobs;
use super::{Claim, Lease, Store, StoreError, UnitRange, postgres};
use crate::model::{Reach, Seq};

impl Store {
    /// Claims a range of about so many units, none of them out of reach, for their first attempts; `None` when none is left to claim.
    ///
    /// A job has one manager here, so that its range is everything but what no manager has to look at again.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when a later manager has taken over.
    pub fn claim(&mut self, lease: Lease, units: i64, reach: impl Into<Reach>) -> Result<Option<Claim>, StoreError> {
        let reach = reach.into();
        if on_server(&mut self.conn) {
            return self.write_under(lease, "claim units", |conn, job| {
                postgres::lose_expired(conn, lease.job, job.limits.on_host_loss)?;
                postgres::claim(conn, lease, units, &reach)
            });
        }
        self.read("read the job", |conn| {
            let row = jobs::table.find(lease.job.0).filter(jobs::epoch.eq(lease.epoch.0));
            let after: Option<i64> = row.select(jobs::claimed_through).first(conn).optional()?;
            let after = Seq(after.ok_or(lease.fenced())?);
            let range = UnitRange { after, through: Seq::MAX };
            Ok(Some(Claim { range, unfinished: u64::MAX, begun: Vec::new() }))
        })
    }

    /// Takes note of managers on other hosts whose leases have run out, where a manager claims nothing that could wait for that.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when a later manager has taken over.
    pub fn lose_silent(&mut self, lease: Lease) -> Result<(), StoreError> {
        self.write_under(lease, "look for managers that are gone", |conn, job| {
            postgres::lose_expired(conn, lease.job, job.limits.on_host_loss)
        })
    }

    /// Returns `true` while units of a job, up to that one, belong to other managers: whoever has none left waits for theirs to end, or to be given
    /// back. On SQLite a job has one manager.
    pub fn others_have_units(&mut self, lease: Lease, through: Seq) -> Result<bool, StoreError> {
        if !on_server(&mut self.conn) {
            return Ok(false);
        }
        self.read("look for other managers", |conn| postgres::others_have_units(conn, lease, through))
    }

    /// Gives back what a manager has claimed, but for ranges with one of the units `in_hand`. On SQLite nobody else could have it.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when a later manager has taken over.
    pub fn give_back_but(&mut self, lease: Lease, in_hand: &[Seq]) -> Result<(), StoreError> {
        if !on_server(&mut self.conn) {
            return Ok(());
        }
        self.write_under(lease, "give units back", |conn, _| postgres::give_back_but(conn, lease, in_hand))
    }
}
