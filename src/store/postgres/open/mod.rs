//! Databases on a PostgreSQL server: from the text that names one to a connection that may be used.
//!
//! A server is looked at before anything is used: too old ones, those that only read, poolers between it and us, and
//! schemas of other programs are refused by name, and nothing is changed there. What this machine keeps about a database
//! lies beside its [marker]. A password is in no message, no file and no `Debug` output.
//!
//! Known weakness: diesel hands out neither SQLSTATE nor the connection's own number, so that a refused connection is
//! judged by the server's words, which may be in another language, and a pooler by a setting that does not arrive.

mod address;
mod administrator;
mod caller;
mod connect;
mod error;
mod look;
mod marker;
mod options;
mod percent;
mod refused;
mod session;
mod setup;

use std::path::{Path, PathBuf};

use diesel::PgConnection;

pub use address::{has_password, is_address, without_password};
pub(in crate::store) use administrator::sql_for;
pub(in crate::store) use caller::{CALLER, look_at_caller};
pub use error::PostgresError;
pub(in crate::store) use look::Life;
pub(in crate::store) use session::Session;
pub(in crate::store) use setup::migrate;
pub use setup::sql_for_administrators;

use address::Address;
use connect::connect;
use marker::{Marker, state_dir};
use setup::make_tables;

use crate::files::create_private_dir;
use crate::model::{DatabaseFile, StateDir};
use crate::store::StoreError;
use crate::store::access::Access;
use crate::store::place::files_error;

/// A database on a server that was looked at, and what this machine keeps about it.
pub(in crate::store) struct Opened {
    pub conn: PgConnection,
    /// The marker.
    pub file: DatabaseFile,
    /// What another connection is made from when this one is lost.
    pub session: Session,
    /// Number of the schema of its tables.
    pub schema: i32,
}

/// Returns `true` if a path names a database on a server: a URL, or a marker that is there.
pub(in crate::store) fn is_one(given: &Path) -> bool {
    is_address(given) || Marker::at(given).is_some()
}

/// Opens the database that a URL or a marker names; with [`Access::Create`] its tables are made if there are none.
///
/// Tables of an older schema are not changed; which schema is enough for which access, the caller decides.
pub(in crate::store) fn open(given: &Path, access: Access) -> Result<Opened, StoreError> {
    open_with(given, access, state_dir)
}

fn open_with(
    given: &Path,
    access: Access,
    state: impl FnOnce() -> Result<PathBuf, PostgresError>,
) -> Result<Opened, StoreError> {
    let marker = if is_address(given) { None } else { Marker::at(given) };
    let text = match &marker {
        Some(marker) => marker.read()?,
        None => given.to_owned(),
    };
    let address = Address::parse(&text)?;
    let (mut conn, found) = connect(&address, access)?;
    if let Some(marker) = &marker {
        marker.refuse_other_database(&address, &found)?;
    }
    let schema = match found.schema {
        Some(schema) => schema,
        None if access == Access::Create => make_tables(&mut conn, &address)?,
        None => return Err(PostgresError::NoTables { database: address.name(), may_create: found.may_create }.into()),
    };
    let marker = match marker {
        Some(marker) => marker,
        None => Marker::of(&found, &state()?)?,
    };
    let file = marker.keep(&address)?;
    let beside = StateDir::beside(&file.path);
    create_private_dir(beside.path()).map_err(|source| files_error("create", beside.path(), source))?;
    Ok(Opened { conn, file, session: Session::new(address, access, marker, found), schema })
}

/// Looks at the database of a URL as for a creation, and changes nothing.
pub(in crate::store) fn look_for_creation(url: &Path) -> Result<(), StoreError> {
    connect(&Address::parse(url)?, Access::Create)?;
    Ok(())
}

/// Opens a database with another directory for what this machine keeps about it.
#[cfg(test)]
pub(in crate::store) fn open_in(given: &Path, access: Access, state: &Path) -> Result<Opened, StoreError> {
    open_with(given, access, || Ok(state.to_owned()))
}

#[cfg(test)]
mod tests;
