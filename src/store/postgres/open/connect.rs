//! Connections, each of which has looked at its server.

use diesel::connection::{Connection, SimpleConnection};
use diesel::{ConnectionError, PgConnection};
use uuid::Uuid;

use super::address::Address;
use super::error::{PostgresError, Refused};
use super::look::{Found, look};
use super::refused::not_connected;
use crate::store::access::Access;
use crate::store::postgres::fault::ENGLISH;

const READ_ONLY: &str = "SET default_transaction_read_only = on";

/// Connects to a database and looks at it; nothing is changed there.
pub(super) fn connect(address: &Address, access: Access) -> Result<(PgConnection, Found), PostgresError> {
    let mark = Uuid::now_v7().simple().to_string();
    let mut conn = PgConnection::establish(&address.conninfo(access, &mark)).map_err(|error| match error {
        ConnectionError::BadConnection(words) => not_connected(address, &words),
        // What diesel says to a new session is lost with it.
        other => not_connected(address, &other.to_string()),
    })?;
    let found = look(&mut conn, address, access, &mark)?;
    let mut settings = ENGLISH.to_owned();
    if access == Access::Read {
        settings = format!("{settings}; {READ_ONLY}");
    }
    conn.batch_execute(&settings).map_err(|error| PostgresError::Other {
        operation: "set up a session on",
        database: address.name(),
        source: Refused(address.without_password(&error.to_string())),
    })?;
    Ok((conn, found))
}
