//! A look at the server of a database, for whoever has to mend what can hurt there.

use std::path::Path;

use super::connection::DbConnection;
use super::postgres::{self, CounterCheck, ServerState};
use super::{Store, StoreError};

impl Store {
    /// Returns what an administrator has to run so that the user of a database on a server can work in it; none for a file. The
    /// tables need not be there.
    pub fn sql_for_administrators_of(path: &Path) -> Result<Option<String>, StoreError> {
        postgres::sql_for(path)
    }

    /// Returns what the server of this database is like at the moment; none of a database in a file.
    pub fn server_state(&mut self) -> Result<Option<ServerState>, StoreError> {
        self.read("look at the server of", |conn| match conn {
            DbConnection::Postgres(conn) => Ok(Some(postgres::server_state(conn)?)),
            DbConnection::Sqlite(_) => Ok(None),
        })
    }

    /// Compares the counters of jobs on a server with their units; of a database in a file it says that none is wrong.
    pub fn check_counters(&mut self) -> Result<CounterCheck, StoreError> {
        self.read("count the units of", |conn| match conn {
            DbConnection::Postgres(conn) => Ok(postgres::counters(conn)?),
            DbConnection::Sqlite(_) => Ok(CounterCheck { wrong: Vec::new(), omitted: 0 }),
        })
    }

    /// Returns the name of the database for people, without a password; none of a database in a file.
    pub fn server_name(&self) -> Option<String> {
        Some(self.session.as_ref()?.name())
    }
}
