//! Connections, each of which has looked at its server.

use diesel::connection::{Connection, SimpleConnection};
use diesel::sql_types::Text;
use diesel::{PgConnection, RunQueryDsl};
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
    // Errors are known by their words. To ask for what is so already would take a server longer than all else here.
    let language: String = diesel::select(diesel::dsl::sql::<Text>("current_setting('lc_messages')"))
        .get_result(&mut conn)
        .map_err(|error| refused(address, SET_UP, &error))?;
    if !is_english(&language) {
        conn.batch_execute(ENGLISH).map_err(|error| refused(address, SET_UP, &error))?;
    }
    Ok(conn)
}

/// Returns `true` for a locale in which messages are those of the source.
fn is_english(locale: &str) -> bool {
    ["C", "POSIX"].contains(&locale) || ["C.", "en_US"].iter().any(|begin| locale.starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::is_english;

    #[test]
    fn a_server_is_asked_for_english_unless_it_speaks_it() {
        assert!(["C", "POSIX", "C.UTF-8", "en_US.UTF-8"].into_iter().all(is_english));
        assert!(!["", "de_DE.UTF-8", "en_GB.UTF-8", "Chinese_Taiwan.950", "ca_ES"].into_iter().any(is_english));
    }
}
