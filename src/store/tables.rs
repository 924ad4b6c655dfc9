//! The tables of a database, made or brought to the newest schema.

use diesel::connection::SimpleConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::access::SCHEMA;
use super::connection::{DbConnection, as_sqlite};
use super::failure::Failure;
#[cfg(feature = "postgres")]
use super::postgres;
use crate::crash::crash_point;

/// "JOBM", in the file's header; tells our databases from others.
pub(super) const APPLICATION_ID: i32 = 0x4a4f_424d;
const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Brings the tables of a database to the newest schema, in the transaction of the caller.
pub(super) fn make_tables(conn: &mut DbConnection) -> Result<(), Failure> {
    #[cfg(feature = "postgres")]
    if let DbConnection::Postgres(conn) = conn {
        return Ok(postgres::migrate(conn)?);
    }
    if let Some(conn) = as_sqlite(conn) {
        conn.run_pending_migrations(MIGRATIONS)
            .map_err(|error| Failure::Sql(diesel::result::Error::QueryBuilderError(error)))?;
    }
    crash_point!("inside-setup");
    conn.batch_execute(&format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA};"))?;
    Ok(())
}
