//! Sorts more than fits into memory, in a temporary database of SQLite that nobody else sees and no crash leaves behind.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Text};

use super::StoreError;
use super::failure::Failure;
use super::statement::statement;

/// Rows read at once.
const PAGE: i64 = 256;
/// What stands in messages in place of a path; SQLite chooses the directory, that of `SQLITE_TMPDIR` or `TMPDIR` first.
const NAME: &str = "a temporary database";

statement! {
    struct Put<'a> {
        "INSERT INTO given (sort_key, payload, place) VALUES ("
            sort_key: &'a [u8] as Binary,
        ", " payload: &'a str as Text,
        ", " place: &'a str as Text,
    }
    ")"
}

statement! {
    struct Sorted {
        "SELECT payload, place FROM sorted WHERE id > "
            after: i64 as BigInt,
        " ORDER BY id LIMIT " limit: i64 as BigInt,
    }
    "" -> (Text, Text)
}

/// Rows that wait for their order.
pub struct Sorter {
    conn: SqliteConnection,
}

impl Sorter {
    /// Makes an empty one.
    pub fn new() -> Result<Self, StoreError> {
        // Without a name the database is a file that SQLite removes from its directory as soon as it has opened it.
        let conn = SqliteConnection::establish("").map_err(|error| during("open", connection_failed(error)))?;
        let mut sorter = Self { conn };
        sorter.run(
            "set up",
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = FILE; PRAGMA cache_size = -8192; \
             CREATE TABLE given (id INTEGER PRIMARY KEY, sort_key BLOB NOT NULL, payload TEXT NOT NULL, place TEXT NOT NULL) STRICT; \
             BEGIN",
        )?;
        Ok(sorter)
    }

    /// Takes a row.
    pub fn put(&mut self, sort_key: &[u8], payload: &str, place: &str) -> Result<(), StoreError> {
        let put = Put { sort_key, payload, place }.execute(&mut self.conn);
        put.map(drop).map_err(|error| during("write to", error.into()))
    }

    /// Returns payloads and places in the order of their keys by bytes, those with the same key as they came.
    pub fn sorted(
        mut self,
        descending: bool,
    ) -> Result<impl Iterator<Item = Result<(String, String), StoreError>> + Send + use<>, StoreError> {
        let direction = if descending { "DESC" } else { "ASC" };
        self.run(
            "sort",
            &format!(
                "CREATE TABLE sorted (id INTEGER PRIMARY KEY, payload TEXT NOT NULL, place TEXT NOT NULL) STRICT; \
                 INSERT INTO sorted (payload, place) SELECT payload, place FROM given ORDER BY sort_key {direction}, id; \
                 COMMIT"
            ),
        )?;
        let mut after = 0;
        let mut page = Vec::new().into_iter();
        let mut failed = false;
        Ok(std::iter::from_fn(move || {
            if failed {
                return None;
            }
            if page.len() == 0 {
                match (Sorted { after, limit: PAGE }).load::<(String, String)>(&mut self.conn) {
                    Ok(rows) => {
                        after += PAGE;
                        page = rows.into_iter();
                    }
                    Err(error) => {
                        failed = true;
                        return Some(Err(during("read", error.into())));
                    }
                }
            }
            page.next().map(Ok)
        }))
    }

    fn run(&mut self, operation: &'static str, sql: &str) -> Result<(), StoreError> {
        self.conn.batch_execute(sql).map_err(|error| during(operation, error.into()))
    }
}

fn connection_failed(error: ConnectionError) -> Failure {
    match error {
        ConnectionError::CouldntSetupConfiguration(error) => error.into(),
        other => diesel::result::Error::QueryBuilderError(Box::new(other)).into(),
    }
}

fn during(operation: &'static str, failure: Failure) -> StoreError {
    failure.during(operation, Path::new(NAME))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(keys: &[&[u8]], descending: bool) -> Vec<String> {
        let mut sorter = Sorter::new().unwrap();
        for (index, key) in keys.iter().enumerate() {
            sorter.put(key, &index.to_string(), "here").unwrap();
        }
        sorter.sorted(descending).unwrap().map(|row| row.unwrap().0).collect()
    }

    #[test]
    fn rows_come_back_by_their_keys_and_equal_ones_as_they_came() {
        let keys: [&[u8]; 5] = [b"b", b"a", b"b\x00", b"\xff", b"a"];

        assert_eq!(sorted(&keys, false), ["1", "4", "0", "2", "3"]);
        assert_eq!(sorted(&keys, true), ["3", "2", "0", "1", "4"]);
    }

    #[test]
    fn all_pages_are_read() {
        let keys: Vec<[u8; 2]> = (0..1000_u16).rev().map(u16::to_be_bytes).collect();
        let keys: Vec<&[u8]> = keys.iter().map(<[u8; 2]>::as_slice).collect();

        let expected: Vec<String> = (0..1000).rev().map(|n: i32| n.to_string()).collect();
        assert_eq!(sorted(&keys, false), expected);
    }
}
