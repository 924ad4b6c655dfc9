//! What is looked at before anything is written through a connection that somebody else has made.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Bool, Integer, Text};

use super::error::PostgresError;
use super::look::{OLDEST_SERVER, schema_number};
use crate::store::StoreError;
use crate::store::access::SCHEMA;
use crate::store::failure::Failure;

/// Stands for the path of its database.
pub(in crate::store) const CALLER: &str = "the database of the caller's connection";

// The names are those by which statements find the tables, whatever the search path is: all in one schema, and none hidden by a temporary one.
const LOOK: &str = "
SELECT current_setting('server_version_num')::int AS number, current_setting('server_version')::text AS version,
       current_setting('server_encoding')::text AS encoding,
       (SELECT count(*) = 16 AND count(DISTINCT relnamespace) = 1 AND bool_and(relkind = 'r' AND relpersistence <> 't')
          FROM pg_class
         WHERE oid IN (to_regclass('jobs'), to_regclass('specs'), to_regclass('units'), to_regclass('metadata'),
                       to_regclass('unit_notes'), to_regclass('attempts'), to_regclass('settings'), to_regclass('made_paths'),
                       to_regclass('failure_kinds'), to_regclass('managers'), to_regclass('ranges'), to_regclass('meters'),
                       to_regclass('spends'), to_regclass('unit_groups'), to_regclass('flags'), to_regclass('totals'))) AS has_tables,
       to_regclass('settings') IS NOT NULL AND EXISTS
           (SELECT FROM pg_attribute WHERE attrelid = to_regclass('settings') AND attname = 'key') AS has_settings";

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Integer)]
    number: i32,
    #[diesel(sql_type = Text)]
    version: String,
    #[diesel(sql_type = Text)]
    encoding: String,
    #[diesel(sql_type = Bool)]
    has_tables: bool,
    #[diesel(sql_type = Bool)]
    has_settings: bool,
}

/// Refuses anything else than a database of this package in its present schema, that a client would open.
pub(in crate::store) fn look_at_caller(conn: &mut PgConnection) -> Result<(), Failure> {
    let row: Row = sql_query(LOOK).get_result(conn)?;
    let database = || CALLER.trim_start_matches("the ").to_owned();
    if row.number < OLDEST_SERVER * 10_000 {
        let (found, required) = (row.version, OLDEST_SERVER);
        return Err(StoreError::from(PostgresError::ServerTooOld { database: database(), found, required }).into());
    }
    if row.encoding != "UTF8" {
        return Err(StoreError::from(PostgresError::Encoding { database: database(), found: row.encoding }).into());
    }
    let (path, known) = (|| CALLER.into(), SCHEMA);
    let not_ours = |reason: &str| StoreError::NotOurs { path: path(), reason: reason.to_owned() };
    match if row.has_settings { schema_number(conn)? } else { None } {
        None => Err(not_ours("open it with Client::create first").into()),
        Some(found) if found > known => Err(StoreError::TooNew { path: path(), found, known }.into()),
        Some(found) if found < known => Err(StoreError::TooOld { path: path(), found, known }.into()),
        Some(_) if !row.has_tables => {
            Err(not_ours("other tables hide some of its own on the connection's search path").into())
        }
        Some(_) => Ok(()),
    }
}
