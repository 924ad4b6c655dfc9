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

    /// Fails when the server is one on which a creation would be refused: it is read-only, or this user may not make the tables.
    pub fn expect_server_for_creation(path: &Path) -> Result<(), StoreError> {
        postgres::look_for_creation(path)
    }

    /// Makes a store of what was opened, whatever its schema is.
    pub(super) fn of_any_schema(opened: postgres::Opened) -> Store {
        let postgres::Opened { conn, file, session, schema: _ } = opened;
        Store { conn: DbConnection::Postgres(conn), file, renewals: None, session: Some(Box::new(session)) }
    }

    pub(super) fn on_server(opened: postgres::Opened, access: Access) -> Result<Store, StoreError> {
        let schema = opened.schema;
        Self::of_any_schema(opened).of_usable_schema(schema, access)
    }
}
