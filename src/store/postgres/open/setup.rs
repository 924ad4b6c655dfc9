//! Creation of the tables: by whichever of many processes comes first, or by an administrator.

use diesel::connection::{Connection, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Bool;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::address::Address;
use super::error::PostgresError;
use super::look::schema_number;
use super::refused::refused;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");
/// The same, for people: the version by which diesel knows each, and its statements.
const STATEMENTS: [(&str, &str); 8] = [
    ("202611260000010000", include_str!("../../../../migrations/postgres/2026-11-26-000001-0000_jobs/up.sql")),
    ("202611270000090000", include_str!("../../../../migrations/postgres/2026-11-27-000009-0000_causes/up.sql")),
    ("202611270000100000", include_str!("../../../../migrations/postgres/2026-11-27-000010-0000_meters/up.sql")),
    ("202611270000110000", include_str!("../../../../migrations/postgres/2026-11-27-000011-0000_groups/up.sql")),
    ("202611270000120000", include_str!("../../../../migrations/postgres/2026-11-27-000012-0000_resources/up.sql")),
    ("202611270000130000", include_str!("../../../../migrations/postgres/2026-11-27-000013-0000_flags/up.sql")),
    ("202611270000140000", include_str!("../../../../migrations/postgres/2026-11-27-000014-0000_totals/up.sql")),
    ("202611280000150000", include_str!("../../../../migrations/postgres/2026-11-28-000015-0000_slots/up.sql")),
];
/// "JOBM": one process at a time makes tables in a database. The lock goes with the transaction, whatever ends it.
const LOCK: i64 = 0x4a4f_424d;

/// In the schema in which tables are made, whatever lies behind it on the search path.
const IS_MADE: &str = "SELECT to_regclass(format('%I.settings', current_schema())) IS NOT NULL AS is_made";

#[derive(QueryableByName)]
struct Made {
    #[diesel(sql_type = Bool)]
    is_made: bool,
}

/// Makes the tables if there are still none, and returns the number of their schema; all of it or nothing.
///
/// Any number of processes may do so at the same moment, and all succeed.
pub(super) fn make_tables(conn: &mut PgConnection, address: &Address) -> Result<i32, PostgresError> {
    let made = conn.transaction(|conn| {
        conn.batch_execute(&format!("SET LOCAL lock_timeout = '60s'; SELECT pg_advisory_xact_lock({LOCK})"))?;
        let made: Made = sql_query(IS_MADE).get_result(conn)?;
        if !made.is_made {
            conn.run_pending_migrations(MIGRATIONS).map_err(diesel::result::Error::QueryBuilderError)?;
        }
        schema_number(conn)?.ok_or(diesel::result::Error::NotFound)
    });
    made.map_err(|error: diesel::result::Error| refused(address, "create the tables of", &error))
}

/// Brings the tables to the newest schema, within the transaction of the caller; nobody else does so meanwhile.
pub(in crate::store) fn migrate(conn: &mut PgConnection) -> QueryResult<()> {
    conn.batch_execute(&format!("SET LOCAL lock_timeout = '60s'; SELECT pg_advisory_xact_lock({LOCK})"))?;
    conn.run_pending_migrations(MIGRATIONS).map(drop).map_err(diesel::result::Error::QueryBuilderError)
}

/// Returns the statements with which an administrator makes the tables in the current schema, for `user` to work with:
/// where that user may not create any.
///
/// ```
/// assert!(job_manager::client::sql_for_administrators("joe").contains("GRANT USAGE"));
/// ```
pub fn sql_for_administrators(user: &str) -> String {
    format!(
        "BEGIN;\n{}DO $$ BEGIN\n    \
         EXECUTE format('GRANT USAGE ON SCHEMA %I TO %s', current_schema(), {user});\n    \
         EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO %s', current_schema(), {user});\n\
         END $$;\nCOMMIT;\n",
        tables_sql(),
        user = literal(&identifier(user))
    )
}

/// Returns the statements that make the tables in the first schema of the search path.
pub(super) fn tables_sql() -> String {
    let mut sql = "CREATE TABLE __diesel_schema_migrations (\n    \
                   version VARCHAR(50) PRIMARY KEY NOT NULL,\n    \
                   run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP\n);\n"
        .to_owned();
    for (version, statements) in STATEMENTS {
        sql.push_str(statements);
        sql.push_str(&format!("\nINSERT INTO __diesel_schema_migrations (version) VALUES ('{version}');\n"));
    }
    sql
}

/// Quotes a name.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Quotes a text.
pub(super) fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
