//! Opening a database on a server.

use std::path::Path;
use std::time::Duration;

use super::access::Access;
use super::away::Tries;
use super::connection::{BUSY_TIMEOUT, DbConnection};
use super::postgres::{self, PostgresError};
use super::{Store, StoreError};

/// A server that nobody reaches may be starting again, and a standby be about to take its place; or the address may be wrong.
const RESTART: Duration = Duration::from_secs(2);

impl Store {
    pub(super) fn open_on_server(path: &Path, access: Access) -> Result<Store, StoreError> {
        let (mut tries, mut few) = (Tries::within(BUSY_TIMEOUT), Tries::within(RESTART));
        loop {
            match postgres::open(path, access) {
                Err(StoreError::Postgres(error)) if error.is_of_moments() && tries.next() => {}
                Err(StoreError::Postgres(PostgresError::Unreachable { .. } | PostgresError::ReadOnly { .. }))
                    if few.next() => {}
                opened => return Self::on_server(opened?, access),
            }
        }
    }

    /// Opens a connection for a caller's own transactions, with the settings of this one's.
    ///
    /// # Errors
    /// Those of opening it; one in a file has connections of another kind.
    pub fn connect_caller_to_server(&self) -> Result<diesel::PgConnection, StoreError> {
        let reason = || "it is a file: Client::connect connects to it".to_owned();
        match &self.session {
            Some(session) => Ok(session.connect()?),
            None => Err(StoreError::NotOurs { path: self.path().to_owned(), reason: reason() }),
        }
    }

    /// Fails when the server is one on which a creation would be refused: it is read-only, or this user may not make the tables.
    pub fn expect_server_for_creation(path: &Path) -> Result<(), StoreError> {
        postgres::look_for_creation(path)
    }

    pub(super) fn on_server(opened: postgres::Opened, access: Access) -> Result<Store, StoreError> {
        let schema = opened.schema;
        Self::of_session(opened).of_usable_schema(schema, access)
    }

    /// Makes a store of a session, whatever the schema.
    pub(super) fn of_session(opened: postgres::Opened) -> Store {
        let postgres::Opened { conn, file, session, .. } = opened;
        Store { conn: DbConnection::Postgres(conn), file, renewals: None, session: Some(Box::new(session)) }
    }
}
