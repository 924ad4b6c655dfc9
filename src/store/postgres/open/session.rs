//! What it takes to go on with a database whose server went away: another session, on the same database.

use std::ffi::OsString;
use std::time::Duration;

use diesel::PgConnection;
use diesel::connection::SimpleConnection;

use super::address::Address;
use super::connect::connect;
use super::error::PostgresError;
use super::look::{Found, Life};
use super::marker::Marker;
use super::refused::refused;
use crate::store::access::Access;
use crate::store::connection::BUSY_TIMEOUT;

/// A session, from which another one is made when it is lost.
pub(in crate::store) struct Session {
    address: Address,
    access: Access,
    marker: Marker,
    life: Life,
    /// How long it waits for another session's lock, and a store for what passes.
    longest_wait: Duration,
    is_lost: bool,
    /// Whether it waits as long as it should.
    is_set: bool,
}

impl Session {
    pub(super) fn new(address: Address, access: Access, marker: Marker, found: Found) -> Session {
        Session { address, access, marker, life: found.life, longest_wait: BUSY_TIMEOUT, is_lost: false, is_set: true }
    }

    /// Makes one more connection to its database, as its own was made.
    pub fn connect(&self) -> Result<PgConnection, PostgresError> {
        let (conn, found) = connect(&self.address, self.access)?;
        self.refuse_another(&found)?;
        Ok(conn)
    }

    /// Refuses another database, and the primary that a standby has taken the place of: what is written there is lost for those who go
    /// on with that one.
    fn refuse_another(&self, found: &Found) -> Result<(), PostgresError> {
        self.marker.refuse_other_database(&self.address, found)?;
        if found.life.is_before(&self.life) {
            return Err(PostgresError::FormerPrimary { database: self.address.name() });
        }
        Ok(())
    }

    /// Returns the password from the address, for processes that open the database by its marker.
    pub fn password(&self) -> Option<OsString> {
        self.address.password()
    }

    /// Returns the name of the database for people.
    pub fn name(&self) -> String {
        self.address.name()
    }

    /// Returns the life of the server that it is one with.
    pub fn life(&self) -> &Life {
        &self.life
    }

    /// Returns how long a store waits for what passes.
    pub fn longest_wait(&self) -> Duration {
        self.longest_wait
    }

    /// Has it wait that long.
    pub fn set_longest_wait(&mut self, longest_wait: Duration) {
        self.is_set &= self.longest_wait == longest_wait;
        self.longest_wait = longest_wait;
    }

    /// Says that nothing can be done in it any more.
    pub fn lose(&mut self) {
        self.is_lost = true;
    }

    /// Makes another session in place of one that is lost, if the same database is there, and has it wait as it should.
    /// Returns `true` if it did.
    pub fn renew(&mut self, conn: &mut PgConnection) -> Result<bool, PostgresError> {
        let was_lost = self.is_lost;
        if self.is_lost {
            let (again, found) = connect(&self.address, self.access)?;
            self.refuse_another(&found)?;
            *conn = again;
            self.life = found.life;
            self.is_lost = false;
            self.is_set = self.longest_wait == BUSY_TIMEOUT;
        }
        if !self.is_set {
            // None at all would be for ever.
            let timeout = self.longest_wait.as_millis().max(1);
            let set = conn.batch_execute(&format!("SET lock_timeout = {timeout}"));
            set.map_err(|error| refused(&self.address, "set up a session on", &error))?;
            self.is_set = true;
        }
        Ok(was_lost)
    }
}
