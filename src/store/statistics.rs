//! Statistics of tables and indexes, without which SQLite plans here.
//!
//! What was gathered while a table was tiny makes SQLite read all of it later, when it is large: a deletion or a page of one job
//! then looks at the units of all jobs. Without statistics it takes every table for a large one, which is how the statements are
//! written and how their plans are tested. Earlier versions gathered some, and so may a person with another tool.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::Store;
use super::connection::DbConnection;
use super::statement::statement;

statement! {
    struct Gathered {}
    "SELECT name FROM sqlite_schema WHERE name IN ('sqlite_stat1', 'sqlite_stat4')" -> Text
}

impl Store {
    /// Deletes statistics that somebody gathered, if there are any.
    ///
    /// What cannot be deleted now, on a full disk say, makes statements slow and nothing wrong: the next one who opens the
    /// database tries again.
    pub(super) fn forget_statistics(&mut self) {
        let has_rows = |conn: &mut DbConnection| -> QueryResult<Vec<String>> {
            let mut tables: Vec<String> = Gathered {}.load(conn)?;
            let mut count = |table: &String| {
                let sql = format!("EXISTS (SELECT 1 FROM {table})");
                diesel::select(diesel::dsl::sql::<BigInt>(&sql)).get_result::<i64>(conn).unwrap_or(0)
            };
            tables.retain(|table| count(table) > 0);
            Ok(tables)
        };
        let Ok(tables) = has_rows(&mut self.conn) else { return };
        if tables.is_empty() {
            return;
        }
        let forget: String = tables.iter().map(|table| format!("DELETE FROM {table}; ")).collect();
        if self.write("forget statistics", |conn| Ok(conn.batch_execute(&forget)?)).is_ok() {
            // This connection has read them already, and forgets them with the schema.
            let _ = self.conn.batch_execute("PRAGMA writable_schema = RESET");
        }
    }
}
