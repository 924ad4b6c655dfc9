//! Rows of a query on somebody else's database, each as one JSON object.
//!
//! Nothing is written and nothing created: the file is opened read-only, and only statements that read are run.
//! Text is taken byte for byte; columns that share a name, or have none, are called after their place.
//! Known weakness: a query that computes without giving a row cannot be interrupted, because diesel hands out neither its
//! connection's handle nor a hook that SQLite calls meanwhile.

use std::path::Path;

use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::deserialize::{self, QueryableByName};
use diesel::prelude::*;
use diesel::row::{Field, NamedRow, Row};
use diesel::sqlite::{Sqlite, SqliteType};

use super::connection::{BUSY_TIMEOUT, percent_encoded};
use super::foreign_error::ForeignError;
use super::place::check_file;
use super::query_text::check_query;
use crate::model::{RawText, column_names};

/// A database that belongs to somebody else, open to be read.
pub struct ForeignDatabase {
    conn: SqliteConnection,
}

impl ForeignDatabase {
    /// Opens an existing database; it is never created.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn open(path: &Path) -> Result<ForeignDatabase, ForeignError> {
        check_file(path)?;
        let failed = |source| ForeignError::Open { path: path.to_owned(), source };
        if !path.try_exists().map_err(|error| failed(error.into()))? {
            return Err(ForeignError::Missing { path: path.to_owned() });
        }
        let absolute = std::path::absolute(path).map_err(|error| failed(error.into()))?;
        let url = format!("file:{}?mode=ro", percent_encoded(&absolute));
        let mut conn = SqliteConnection::establish(&url).map_err(|error| failed(error.into()))?;
        // The first question also shows whether the file is a database at all.
        conn.batch_execute(&format!(
            "PRAGMA busy_timeout = {}; PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA schema_version;",
            BUSY_TIMEOUT.as_millis()
        ))
        .map_err(|error| failed(error.into()))?;
        Ok(ForeignDatabase { conn })
    }

    /// Runs a query and gives each row, as a JSON object of its columns, to `take`, until that answers false.
    ///
    /// # Errors
    /// When the query fails, or a row has no form in JSON; the rows before it were given.
    pub fn each_row(&mut self, query: &str, take: &mut dyn FnMut(String) -> bool) -> Result<(), ForeignError> {
        check_query(query)?;
        let rows = diesel::sql_query(query)
            .load_iter::<ForeignRow, DefaultLoadingMode>(&mut self.conn)
            .map_err(ForeignError::Query)?;
        for row in rows {
            if !take(row.map_err(ForeignError::Query)?.0?) {
                break;
            }
        }
        Ok(())
    }
}

/// A row of any columns; the reason why it is no object where it is none.
struct ForeignRow(Result<String, ForeignError>);

impl QueryableByName<Sqlite> for ForeignRow {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        Ok(ForeignRow(object(row)))
    }
}

fn object<'a>(row: &impl NamedRow<'a, Sqlite>) -> Result<String, ForeignError> {
    let fields: Vec<_> = (0..row.field_count()).filter_map(|index| Row::get(row, index)).collect();
    let given: Vec<&str> = fields.iter().map(|field| field.field_name().unwrap_or_default()).collect();
    let names = column_names(&given).map_err(|column| ForeignError::ColumnName { column: column.to_owned() })?;
    let mut text = String::from("{");
    for (index, (field, name)) in fields.iter().zip(names).enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&RawText::json_of(name.as_bytes()));
        text.push(':');
        push_value(&mut text, field).map_err(|(found, remedy)| ForeignError::NotJson {
            column: name,
            found,
            remedy,
        })?;
    }
    text.push('}');
    Ok(text)
}

/// Appends a value, or says what it is instead and what to do.
fn push_value<'f>(text: &mut String, field: &impl Field<'f, Sqlite>) -> Result<(), (&'static str, &'static str)> {
    let Some(mut value) = field.value() else {
        text.push_str("null");
        return Ok(());
    };
    match value.value_type() {
        None => text.push_str("null"),
        Some(SqliteType::Binary) => {
            return Err(("a blob", "select CAST(… AS TEXT) for its bytes or hex(…) for their digits"));
        }
        Some(SqliteType::Float | SqliteType::Double) => {
            let number = value.read_double();
            if !number.is_finite() {
                return Err(("an infinite number", "omit the row or select another value"));
            }
            // The shortest text that reads back as the same number.
            text.push_str(&serde_json::Number::from_f64(number).map(|number| number.to_string()).unwrap_or_default());
        }
        Some(SqliteType::SmallInt | SqliteType::Integer | SqliteType::Long) => {
            text.push_str(&value.read_long().to_string());
        }
        Some(_) => {
            // Whatever the encoding of the database, its bytes are UTF-8 once it was read as text, as far as it is any.
            value.read_text();
            text.push_str(&RawText::json_of(value.read_blob()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn database(sql: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("odd ?name#%.db");
        let mut conn = SqliteConnection::establish(&format!("file:{}", percent_encoded(&path))).unwrap();
        conn.batch_execute(sql).unwrap();
        (dir, path)
    }

    fn rows(path: &Path, query: &str) -> (Vec<String>, Option<String>) {
        let mut found = Vec::new();
        let mut database = ForeignDatabase::open(path).unwrap();
        let end = database.each_row(query, &mut |row| {
            found.push(row);
            true
        });
        (found, end.err().map(|error| error.to_string()))
    }

    fn error_of(query: &str) -> String {
        let (_dir, path) = database("CREATE TABLE t (a)");
        rows(&path, query).1.unwrap()
    }

    #[test]
    fn each_row_is_an_object_of_its_columns() {
        let (_dir, path) = database(
            "CREATE TABLE t (id INTEGER, size REAL, name TEXT);
             INSERT INTO t VALUES (9007199254740993, 0.1, 'it''s \"é\"' || char(10)), (-1, 2.0, NULL)",
        );

        let (found, error) = rows(&path, "SELECT id, size, name AS \"file name\" FROM t ORDER BY rowid");

        assert_eq!(error, None);
        assert_eq!(
            found,
            [
                r#"{"id":9007199254740993,"size":0.1,"file name":"it's \"é\"\n"}"#,
                r#"{"id":-1,"size":2.0,"file name":null}"#
            ]
        );
    }

    #[test]
    fn a_database_in_another_encoding_is_read_all_the_same() {
        let (_dir, path) = database("PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (a); INSERT INTO t VALUES ('é€')");

        assert_eq!(rows(&path, "SELECT a FROM t").0, [r#"{"a":"é€"}"#]);
    }

    #[test]
    fn what_json_cannot_hold_is_refused() {
        assert!(error_of("SELECT x'00ff' AS a").contains("\"a\" holds a blob"));
        assert!(error_of("SELECT 9e999 AS a").contains("\"a\" holds an infinite number"));
        assert!(
            error_of("SELECT 1 AS a, 2 AS a, 3 AS \"a (column 1)\"").contains("two columns named \"a (column 1)\"")
        );
        assert_eq!(error_of("SELECT nothing"), "the query failed");
    }

    #[test]
    fn text_is_taken_byte_for_byte_and_columns_of_one_name_are_told_apart() {
        let (_dir, path) = database("CREATE TABLE t (a)");

        let (found, error) =
            rows(&path, "SELECT CAST(x'636166e9' AS TEXT) AS a, 'x' || char(0) || 'y' AS b, 1 AS b, 2 AS \"\"");

        assert_eq!(error, None);
        assert_eq!(
            found,
            [
                "{\"a\":{\"text\":\"caf\u{fffd}\",\"base64\":\"Y2Fm6Q==\"},\"b (column 2)\":\"x\\u0000y\",\"b (column 3)\":1,\"(column 4)\":2}"
            ]
        );
    }

    #[test]
    fn nothing_is_written_and_nothing_created() {
        let (dir, path) = database("CREATE TABLE t (a); INSERT INTO t VALUES (1)");

        let file = dir.path().join("new.db");
        for statement in [
            "INSERT INTO t VALUES (2)",
            "WITH x AS (SELECT 1) DELETE FROM t RETURNING a",
            "PRAGMA journal_mode = WAL",
            &format!("ATTACH '{}' AS new", file.display()),
            &format!(" /* x */ -- y\n vacuum INTO '{}'", file.display()),
            "SELECT a FROM t; SELECT a FROM t",
        ] {
            assert!(rows(&path, statement).1.is_some(), "{statement}");
        }
        let missing = ForeignDatabase::open(&dir.path().join("missing.db")).err().unwrap();

        assert_eq!(rows(&path, "/* how many */\n-- rows\nselect count(*) AS n FROM t").0, [r#"{"n":1}"#]);
        assert!(missing.to_string().starts_with("no database at "), "{missing}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_no_database_is_refused_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("text");
        std::fs::write(&path, "not a database, but long enough to look like one".repeat(100)).unwrap();

        assert!(matches!(ForeignDatabase::open(&path), Err(ForeignError::Open { .. })));
        assert!(matches!(ForeignDatabase::open(dir.path()), Err(ForeignError::Open { .. })));
    }

    #[test]
    fn rows_that_nobody_wants_are_not_read() {
        let (_dir, path) = database("CREATE TABLE t (a)");
        let mut taken = 0;

        let endless = "WITH RECURSIVE n (a) AS (SELECT 1 UNION ALL SELECT a + 1 FROM n) SELECT a FROM n";
        let end = ForeignDatabase::open(&path).unwrap().each_row(endless, &mut |_| {
            taken += 1;
            taken < 3
        });

        assert!(end.is_ok());
        assert_eq!(taken, 3);
    }
}
