//! Rows of a query on somebody else's database, each as one JSON object.
//!
//! Nothing is written and nothing created: the file is opened read-only, and only statements that read are run.
//! Known weaknesses: of several statements in one text only the first is run. A query that computes without giving a row
//! cannot be interrupted, because diesel hands out neither its connection's handle nor a hook that SQLite calls meanwhile.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::deserialize::{self, QueryableByName};
use diesel::prelude::*;
use diesel::row::{Field, NamedRow, Row};
use diesel::sqlite::{Sqlite, SqliteType};

use super::open::{BUSY_TIMEOUT, percent_encoded};

/// A database that belongs to somebody else, open to be read.
pub struct ForeignDatabase {
    conn: SqliteConnection,
}

/// A query on a foreign database that has no rows to give, or a row that is no payload.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ForeignError {
    /// There is no such file.
    #[error("no database at {}", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// It cannot be opened.
    #[error("cannot open {} to read it", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The statement does something else than reading.
    #[error("a query begins with SELECT, WITH or VALUES, not with {word:?}")]
    NotAQuery {
        /// Its first word.
        word: String,
    },
    /// The query cannot be run, or stopped in the middle.
    #[error("the query failed")]
    Query(#[source] diesel::result::Error),
    /// Two columns have the same name, or one has none.
    #[error("the query returns {}, name each column with AS", if column.is_empty() { "a column without a name".to_owned() } else { format!("two columns named {column:?}") })]
    ColumnName {
        /// The name.
        column: String,
    },
    /// A value has no form in JSON.
    #[error("the column {column:?} holds {found}, which JSON cannot; {remedy}")]
    NotJson {
        /// The column.
        column: String,
        /// What it holds.
        found: &'static str,
        /// What to write instead.
        remedy: &'static str,
    },
}

impl ForeignDatabase {
    /// Opens an existing database; it is never created.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn open(path: &Path) -> Result<ForeignDatabase, ForeignError> {
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
        refuse_other_statements(query)?;
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

/// Refuses what makes files although the database is only read: ATTACH and VACUUM INTO do.
fn refuse_other_statements(query: &str) -> Result<(), ForeignError> {
    let mut rest = query.trim_ascii_start();
    while let Some((opened, end)) = [("--", "\n"), ("/*", "*/")].into_iter().find(|(start, _)| rest.starts_with(start))
    {
        rest = rest[opened.len()..].split_once(end).map_or("", |(_, behind)| behind.trim_ascii_start());
    }
    let word: String = rest.chars().take_while(char::is_ascii_alphabetic).collect();
    match word.to_ascii_uppercase().as_str() {
        "SELECT" | "WITH" | "VALUES" => Ok(()),
        _ => Err(ForeignError::NotAQuery { word }),
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
    let mut names = HashSet::new();
    let mut text = String::from("{");
    for index in 0..row.field_count() {
        let Some(field) = Row::get(row, index) else { break };
        let column = field.field_name().unwrap_or_default();
        if column.is_empty() || !names.insert(column.to_owned()) {
            return Err(ForeignError::ColumnName { column: column.to_owned() });
        }
        if index > 0 {
            text.push(',');
        }
        push_text(&mut text, column);
        text.push(':');
        push_value(&mut text, &field).map_err(|(found, remedy)| ForeignError::NotJson {
            column: column.to_owned(),
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
        Some(SqliteType::Binary) => return Err(("a blob", "select hex(…) of it")),
        Some(SqliteType::Float | SqliteType::Double) => {
            let number = value.read_double();
            if !number.is_finite() {
                return Err(("an infinite number", "leave the row out or select another value"));
            }
            // The shortest text that reads back as the same number.
            text.push_str(&serde_json::Number::from_f64(number).map(|number| number.to_string()).unwrap_or_default());
        }
        Some(SqliteType::SmallInt | SqliteType::Integer | SqliteType::Long) => {
            text.push_str(&value.read_long().to_string());
        }
        Some(_) => {
            // What is not UTF-8 is read as replacement characters; they may as well stand there themselves.
            let is_doubtful = value.read_text().contains(char::REPLACEMENT_CHARACTER);
            if is_doubtful && std::str::from_utf8(value.read_blob()).is_err() {
                return Err(("text that is not valid UTF-8", "select hex(…) of it"));
            }
            push_text(text, value.read_text());
        }
    }
    Ok(())
}

fn push_text(text: &mut String, value: &str) {
    text.push_str(&serde_json::to_string(value).expect("text is always a JSON document"));
}

#[cfg(test)]
mod tests {
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
        assert!(error_of("SELECT CAST(x'61ff' AS TEXT) AS a").contains("\"a\" holds text that is not valid UTF-8"));
        assert!(error_of("SELECT 1 AS a, 2 AS a").contains("two columns named \"a\""));
        assert!(error_of("SELECT 1 AS \"\"").contains("a column without a name"));
        assert_eq!(error_of("SELECT nothing"), "the query failed");
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
            "",
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
