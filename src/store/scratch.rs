//! A database to try out what would be written.

use std::path::PathBuf;

use diesel::prelude::*;

use super::fault::Fault;
use super::tables::make_tables;
use super::{Store, StoreError};
use crate::model::DatabaseFile;

impl Store {
    /// Makes a database that nobody else sees and that is gone with this store, to try out what would be written.
    pub fn scratch() -> Result<Store, StoreError> {
        // An empty name stands for a file without a name that SQLite keeps in memory while it is small.
        let path = PathBuf::new();
        let conn = SqliteConnection::establish("").map_err(|error| StoreError::Database {
            operation: "make a database to try out",
            fault: Fault::of_message(&error.to_string()),
            path: path.clone(),
            source: Box::new(error),
        })?;
        let mut store = Store::of_file(conn, DatabaseFile { path, device: 0, inode: 0 });
        store.execute("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF")?;
        store.write("set up the database", make_tables)?;
        Ok(store)
    }
}
