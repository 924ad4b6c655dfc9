//! Connections, each of which has looked at its server.

use diesel::PgConnection;
use diesel::connection::{Connection, SimpleConnection};
use uuid::Uuid;

use super::address::Address;
use super::error::PostgresError;
use super::look::{Found, look};
use super::refused::{not_connected, refused};
use crate::store::access::Access;
use crate::store::postgres::fault::ENGLISH;

const SET_UP: &str = "set up a session on";
const READ_ONLY: &str = "SET default_transaction_read_only = on";

/// Connects to a database and looks at it; nothing is changed there.
pub(super) fn connect(address: &Address, access: Access) -> Result<(PgConnection, Found), PostgresError> {
    let mark = Uuid::now_v7().simple().to_string();
    let mut conn = begin(address, access, &mark)?;
    let found = look(&mut conn, address, access, &mark)?;
    if access == Access::Read {
        conn.batch_execute(READ_ONLY).map_err(|error| refused(address, SET_UP, &error))?;
    }
    Ok((conn, found))
}

/// Begins a session with that mark, in a database that nobody has looked at.
pub(super) fn begin(address: &Address, access: Access, mark: &str) -> Result<PgConnection, PostgresError> {
    let conn = PgConnection::establish(&address.conninfo(access, mark));
    let mut conn = conn.map_err(|error| not_connected(address, &error))?;
    // Errors are known by their words.
    conn.batch_execute(ENGLISH).map_err(|error| refused(address, SET_UP, &error))?;
    Ok(conn)
}
