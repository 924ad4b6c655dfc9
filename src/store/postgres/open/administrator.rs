//! What an administrator has to run so that a user can work in a database in which that user may make nothing.
//!
//! It is asked for where opening is refused. Known weakness: a name with a comma in the search path is not understood.

use std::path::Path;

use diesel::PgConnection;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Bool, Nullable, Text};

use super::address::{Address, is_address};
use super::connect::begin;
use super::error::PostgresError;
use super::marker::Marker;
use super::refused::refused;
use super::setup::{identifier, literal, tables_sql};
use crate::store::StoreError;
use crate::store::access::Access;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Text)]
    database: String,
    #[diesel(sql_type = Text)]
    schema: String,
    #[diesel(sql_type = Bool)]
    has_schema: bool,
    #[diesel(sql_type = Bool)]
    has_tables: bool,
    #[diesel(sql_type = Nullable<Text>)]
    other_table: Option<String>,
}

// A schema of the search path that this user may not use, or that is not there, is the one that is meant all the same. What is in it
// can be seen by everybody, whatever may be read.
const LOOK: &str = r#"
SELECT current_user::text AS role, current_database()::text AS database, schema,
       EXISTS (SELECT FROM pg_namespace WHERE nspname = schema) AS has_schema,
       (SELECT count(*) = 4 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE nspname = schema AND relkind = 'r' AND relname IN ('jobs', 'units', 'managers', 'settings')) AS has_tables,
       (SELECT min(relname::text) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE nspname = schema AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
           AND NOT EXISTS (SELECT FROM pg_depend d
                            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')) AS other_table
  FROM (SELECT coalesce(current_schema()::text,
               (SELECT CASE WHEN name LIKE '"%"' THEN replace(substr(name, 2, length(name) - 2), '""', '"') ELSE lower(name) END
                  FROM (SELECT btrim(name) AS name, place
                          FROM unnest(string_to_array(current_setting('search_path'), ',')) WITH ORDINALITY AS path (name, place)) AS path
                 WHERE name NOT IN ('', '$user', '"$user"') ORDER BY place LIMIT 1),
               'public') AS schema) AS meant"#;

/// Returns the statements for the database that a URL or a marker names, and the user in it; none for a file of SQLite.
pub(in crate::store) fn sql_for(given: &Path) -> Result<Option<String>, StoreError> {
    let text = match Marker::at(given) {
        _ if is_address(given) => given.to_owned(),
        Some(marker) => marker.read()?,
        None => return Ok(None),
    };
    let address = Address::parse(&text)?;
    let mut conn: PgConnection = begin(&address, Access::Read, "")?;
    let row: Row = sql_query(LOOK).get_result(&mut conn).map_err(|error| refused(&address, "look at", &error))?;
    match row.other_table {
        Some(table) if !row.has_tables => {
            Err(PostgresError::NotOurs { database: address.name(), schema: row.schema, table }.into())
        }
        _ => Ok(Some(sql(&row))),
    }
}

fn sql(row: &Row) -> String {
    let [role, database, schema] = [&row.role, &row.database, &row.schema].map(|name| identifier(name));
    let make = match (row.has_schema, row.has_tables) {
        (_, true) => String::new(),
        (true, false) => tables_sql(),
        (false, false) => format!("CREATE SCHEMA {schema};\n{}", tables_sql()),
    };
    let wrong = literal(&format!("this is for database {}", row.database));
    format!(
        "-- For an administrator of PostgreSQL, in database {database}: the tables in schema {schema}, for user {role}.\n\
         BEGIN;\n\
         DO $$ BEGIN ASSERT current_database() = {}, {wrong}; END $$;\n\
         SET LOCAL search_path = {schema};\n\
         {make}\
         GRANT USAGE ON SCHEMA {schema} TO {role};\n\
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};\n\
         COMMIT;\n",
        literal(&row.database)
    )
}
