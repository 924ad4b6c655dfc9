//! What a session finds when it looks at its server, before anything is used.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Bool, Integer, Nullable, Text};

use super::address::Address;
use super::error::PostgresError;
use super::options::MARK;
use super::refused::refused;
use crate::store::Fault;
use crate::store::access::Access;
use crate::store::access::SCHEMA;

/// Sessions have the settings that ours begin with from this version on.
pub(super) const OLDEST_SERVER: i32 = 14;
/// The number of the schema of our tables, which tells them from others. A dump keeps it, whatever it leaves away.
const NUMBER: &str = "SELECT value FROM settings WHERE key = 'job-manager:schema'";

/// A server and a database that may be used.
#[derive(Debug)]
pub(super) struct Found {
    /// The server's own number: a copy of its files has the same, one that was made again has another.
    pub system: String,
    /// The name of the database.
    pub database: String,
    /// Number of the schema of our tables, if there are any.
    pub schema: Option<i32>,
    /// Which life of the server it is.
    pub life: Life,
    /// Whether this user may make tables.
    pub may_create: bool,
}

/// What changes when a server does not simply go on where it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::store) struct Life {
    /// Changes with a failover.
    pub timeline: String,
    /// Changes with a crash, which takes the statistics along.
    pub since: String,
}

impl Life {
    /// Returns `true` if another server has taken over from this one before that life began; a standby is in none of its own.
    pub fn is_before(&self, other: &Life) -> bool {
        !self.timeline.is_empty() && self.timeline < other.timeline
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Nullable<Text>)]
    mark: Option<String>,
    #[diesel(sql_type = Text)]
    encoding: String,
    #[diesel(sql_type = Bool)]
    is_read_only: bool,
    #[diesel(sql_type = Text)]
    database: String,
    #[diesel(sql_type = Text)]
    system: String,
    #[diesel(sql_type = Text)]
    timeline: String,
    #[diesel(sql_type = Text)]
    since: String,
    #[diesel(sql_type = Nullable<Text>)]
    schema: Option<String>,
    #[diesel(sql_type = Bool)]
    may_create: bool,
    #[diesel(sql_type = Bool)]
    has_tables: bool,
    #[diesel(sql_type = Bool)]
    may_read: bool,
    #[diesel(sql_type = Nullable<Text>)]
    foreign_table: Option<String>,
}

/// Tables of extensions are nobody's.
const LOOK: &str = "
SELECT current_setting('job_manager.session', true) AS mark,
       current_setting('server_encoding') AS encoding,
       current_setting('transaction_read_only')::bool OR pg_is_in_recovery() AS is_read_only,
       current_database()::text AS database,
       (SELECT system_identifier::text FROM pg_control_system()) AS system,
       CASE WHEN pg_is_in_recovery() THEN '' ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END AS timeline,
       coalesce((SELECT stats_reset::text FROM pg_stat_bgwriter), '') AS since,
       current_schema()::text AS schema,
       coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS may_create,
       (SELECT count(*) = 2 FROM pg_class c WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema()))
           AND c.relname IN ('jobs', 'settings') AND c.relkind = 'r') AS has_tables,
       (SELECT coalesce(bool_and(has_table_privilege(c.oid, 'SELECT')), true) FROM pg_class c
         WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND c.relname IN ('jobs', 'settings')) AS may_read,
       (SELECT min(c.relname::text) FROM pg_class c
         WHERE c.relnamespace = to_regnamespace(quote_ident(current_schema())) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
           AND NOT EXISTS (SELECT FROM pg_depend d
                            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')) AS foreign_table";

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Integer)]
    number: i32,
    #[diesel(sql_type = Text)]
    text: String,
}

const VERSION: &str =
    "SELECT current_setting('server_version_num')::int AS number, current_setting('server_version')::text AS text";

/// Refuses what cannot be used for that access, and says what is there; `mark` is what the session began with.
pub(super) fn look(
    conn: &mut PgConnection,
    address: &Address,
    access: Access,
    mark: &str,
) -> Result<Found, PostgresError> {
    let database = || address.name();
    let failed = |error: diesel::result::Error| refused(address, "look at", &error);
    let version: Version = sql_query(VERSION).get_result(conn).map_err(failed)?;
    if version.number < OLDEST_SERVER * 10_000 {
        return Err(PostgresError::ServerTooOld { database: database(), found: version.text, required: OLDEST_SERVER });
    }
    let row: Row = sql_query(LOOK).get_result(conn).map_err(failed)?;
    debug_assert!(LOOK.contains(MARK));
    if row.mark.as_deref() != Some(mark) {
        return Err(PostgresError::Pooler { database: database() });
    }
    if row.encoding != "UTF8" {
        return Err(PostgresError::Encoding { database: database(), found: row.encoding });
    }
    if row.is_read_only && access != Access::Read {
        return Err(PostgresError::ReadOnly { database: database(), source: None });
    }
    let Some(schema) = row.schema else { return Err(PostgresError::NoSchema { database: database() }) };
    if row.has_tables && !row.may_read {
        return Err(PostgresError::NoAccess { database: database(), schema });
    }
    let number = match row.has_tables.then(|| schema_number(conn)) {
        Some(Err(error)) if Fault::of_sql(&error).passes() => return Err(failed(error)),
        // Another program's table of that name may have other columns.
        Some(Err(_)) | None => None,
        Some(Ok(number)) => number,
    };
    match (number, row.foreign_table) {
        (Some(found), _) if found > SCHEMA => Err(PostgresError::TooNew { database: database(), found, known: SCHEMA }),
        (None, Some(table)) => Err(PostgresError::NotOurs { database: database(), schema, table }),
        (None, None) if access == Access::Create && !row.may_create => {
            Err(PostgresError::NoRights { database: database(), schema })
        }
        (schema, _) => {
            let life = Life { timeline: row.timeline, since: row.since };
            Ok(Found { system: row.system, database: row.database, schema, life, may_create: row.may_create })
        }
    }
}

/// Returns the number of the schema of our tables, if they are ours; refused where there is no such table.
pub(super) fn schema_number(conn: &mut PgConnection) -> QueryResult<Option<i32>> {
    let value: Option<Value> = sql_query(NUMBER).get_result(conn).optional()?;
    Ok(value.and_then(|row| row.value.parse().ok()))
}

#[derive(QueryableByName)]
struct Value {
    #[diesel(sql_type = Text)]
    value: String,
}
