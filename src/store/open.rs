//! Opening and creating a database.
//!
//! Creation and migration, see [`migrate`](super::migrate), are serialised by a lock file beside the database, because the switch to WAL is not safe
//! against a second process that does the same, and diesel reads the list of pending migrations outside its transaction.

use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};

use super::access::{Access, SCHEMA};
use super::connection::{BUSY_TIMEOUT, DbConnection, of_sqlite, percent_encoded};
use super::failure::Failure;
use super::fault::Fault;
use super::place::{Found, Place, database_file, make_file, place_of};
#[cfg(feature = "postgres")]
use super::postgres;
use super::setup_lock::{lock_for_setup, lock_setup_of};
use super::statement::statement;
use super::tables::{APPLICATION_ID, make_tables};
use super::{Store, StoreError};
use crate::files;
use crate::model::{DatabaseFile, StateDir};

/// Number of the oldest schema that has all that is read.
const OLDEST_READABLE: i32 = 3;
/// Older ones can corrupt a database when two connections checkpoint at once.
const OLDEST_SAFE_SQLITE: (&str, [u32; 3]) = ("3.51.3", [3, 51, 3]);
/// SQLite's words for a file whose header is not that of a database.
const NO_DATABASE: &str = "file is not a database";

statement! { pub(super) struct ApplicationId {} "PRAGMA application_id" -> Integer }
statement! {
    pub(super) struct UserVersion {}
    ["PRAGMA user_version" "SELECT value::integer FROM settings WHERE key = 'job-manager:schema'"] -> Integer
}
statement! { struct TableCount {} "SELECT CAST(count(*) AS INTEGER) FROM sqlite_schema" -> Integer }
statement! { pub(super) struct EngineVersion {} ["SELECT sqlite_version()" "SHOW server_version"] -> Text }
statement! { struct SwitchToWal {} "PRAGMA journal_mode = WAL" -> Text }
statement! { pub(super) struct JournalMode {} "PRAGMA journal_mode" -> Text }
pub(super) const WAL: &str = "wal";

impl Store {
    /// Refuses to go on when the file was moved, deleted or replaced: what is written now would be seen by nobody.
    pub fn refuse_moved_file(&self) -> Result<(), StoreError> {
        match database_file(&self.file.path) {
            Ok(found) if found.is_same_file(&self.file) => Ok(()),
            _ => Err(StoreError::Moved { path: self.file.path.clone() }),
        }
    }

    /// Opens the database at `path`.
    ///
    /// With [`Access::Create`] a missing database is made, file mode 0600, beside a directory of mode 0700 for locks
    /// and logs; any number of processes may do so at the same moment, and all succeed. A database of an older
    /// schema is read as it is if it has all that is read; [`Store::bring_up_to_date`] changes it.
    ///
    /// # Errors
    /// When there is no database and none is to be made, when its schema is too old for that access, when its directory is missing,
    /// when the file is not ours, newer than this version, damaged, unreachable or locked for too long. What is not ours is not changed.
    pub fn open(path: &Path, access: Access) -> Result<Store, StoreError> {
        #[cfg(feature = "postgres")]
        if postgres::is_one(path) {
            return Self::open_on_server(path, access);
        }
        let Place { path, exists } = place_of(path)?;
        if exists {
            return Self::open_existing(&path, access);
        }
        match access {
            Access::Create => {
                files::refuse_planted_beside(&path, files::own_user())?;
                Self::set_up(&path)
            }
            Access::Write | Access::Manage | Access::Read => Err(StoreError::NoDatabase { path }),
        }
    }

    fn open_existing(path: &Path, access: Access) -> Result<Store, StoreError> {
        let found = Found::at(path)?;
        match access {
            Access::Read => found.refuse_name_without_log()?,
            Access::Create | Access::Write | Access::Manage => found.refuse_second_name()?,
        }
        found.refuse_planted()?;
        refuse_foreign(path)?;
        let (store, schema) = Self::connect(found)?;
        match schema {
            Some(found) => store.of_usable_schema(found, access)?.configure(access),
            None if access != Access::Create => store.await_set_up(access),
            None => Self::set_up(&store.file.path),
        }
    }

    pub(super) fn of_usable_schema(self, found: i32, access: Access) -> Result<Store, StoreError> {
        let path = || self.file.path.clone();
        match access {
            _ if found == SCHEMA => Ok(self),
            Access::Read if found >= OLDEST_READABLE => Ok(self),
            Access::Read => Err(StoreError::TooOldToRead { path: path(), found, oldest: OLDEST_READABLE }),
            Access::Create | Access::Write | Access::Manage => {
                Err(StoreError::TooOld { path: path(), found, known: SCHEMA })
            }
        }
    }

    /// Waits for the process that makes the database at this moment, if one does.
    fn await_set_up(mut self, access: Access) -> Result<Store, StoreError> {
        let path = self.file.path.clone();
        let lock_path = StateDir::beside(&path).setup_lock();
        if !lock_path.exists() {
            return Err(StoreError::NotOurs { path, reason: "it is an empty database".to_owned() });
        }
        drop(lock_for_setup(&lock_path)?);
        match self.schema_number()? {
            Some(found) => self.of_usable_schema(found, access)?.configure(access),
            // Whoever was making it has died; the next one that creates a job makes it.
            None => Err(StoreError::NoDatabase { path }),
        }
    }

    /// Makes a database while no other process does.
    fn set_up(path: &Path) -> Result<Store, StoreError> {
        let _lock = lock_setup_of(path)?;

        make_file(path)?;
        let found = Found::at(path)?;
        found.refuse_planted()?;
        let (mut store, schema) = Self::connect(found)?;
        match schema {
            Some(found) => store = store.of_usable_schema(found, Access::Create)?,
            None => {
                // Before the first page is written: later it takes a VACUUM.
                store.execute("PRAGMA auto_vacuum = INCREMENTAL")?;
                let mode: String = store.ask(SwitchToWal {})?;
                if mode != WAL {
                    return Err(StoreError::NotOurs {
                        path: store.file.path,
                        reason: format!("its file system allows journal mode {mode} only"),
                    });
                }
                store.write("set up the database", make_tables)?;
            }
        }
        store.configure(Access::Create)
    }

    /// Has statements wait no longer than that for another process's transaction.
    pub fn set_busy_timeout(&mut self, timeout: Duration) -> Result<(), StoreError> {
        #[cfg(feature = "postgres")]
        if let Some(session) = &mut self.session {
            session.set_longest_wait(timeout);
            return Ok(());
        }
        self.execute(&format!("PRAGMA busy_timeout = {}", timeout.as_millis()))
    }

    /// Says by an error whether the write lock cannot be had within the timeout of this store.
    pub fn expect_writable(&mut self) -> Result<(), StoreError> {
        self.write("write to the database", |_| Ok(()))
    }

    /// Makes a store of a connection to a file.
    pub(super) fn of_file(conn: SqliteConnection, file: DatabaseFile) -> Store {
        let (conn, renewals) = (of_sqlite(conn), None);
        #[cfg(feature = "postgres")]
        return Store { conn, file, renewals, session: None };
        #[cfg(not(feature = "postgres"))]
        Store { conn, file, renewals }
    }

    /// Opens a file that was looked at, and returns its schema number with it.
    pub(super) fn connect(found: Found) -> Result<(Store, Option<i32>), StoreError> {
        let path = found.path().to_owned();
        let url = format!("file:{}?mode=rw", percent_encoded(&path));
        let conn = SqliteConnection::establish(&url).map_err(|error| {
            let fault = Fault::of_message(&error.to_string());
            StoreError::refused_by_sqlite("open the database", fault, &path, Box::new(error))
        })?;
        let mut store = Store::of_file(conn, found.file().clone());
        store.execute(&format!("PRAGMA busy_timeout = {}", BUSY_TIMEOUT.as_millis()))?;
        store.refuse_unsafe_sqlite()?;
        let schema = store.schema_number();
        // The log is open now too.
        found.refuse_replaced()?;
        Ok((store, schema?))
    }

    /// Returns the file's schema number, or none for a database in which nothing was ever made.
    fn schema_number(&mut self) -> Result<Option<i32>, StoreError> {
        // One snapshot: another process may be setting the database up between two statements.
        let (application, version, tables): (i32, i32, i32) = self.read("open the database", |conn| {
            let application = ApplicationId {}.get_result(conn)?;
            Ok((application, UserVersion {}.get_result(conn)?, TableCount {}.get_result(conn)?))
        })?;
        if application == APPLICATION_ID {
            return if version > SCHEMA {
                Err(StoreError::TooNew { path: self.file.path.clone(), found: version, known: SCHEMA })
            } else {
                Ok(Some(version))
            };
        }
        if application != 0 || version != 0 || tables != 0 {
            return Err(of_another_program(&self.file.path));
        }
        Ok(None)
    }

    fn configure(mut self, access: Access) -> Result<Store, StoreError> {
        self.execute("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;")?;
        if access != Access::Read {
            self.return_to_wal()?;
            self.forget_statistics();
        }
        match access {
            Access::Create | Access::Write => {}
            // In KiB. A manager touches each page a few times in a row and never again.
            Access::Manage => self.execute("PRAGMA cache_size = -256")?,
            Access::Read => self.execute("PRAGMA query_only = ON")?,
        }
        Ok(self)
    }

    /// Takes back another journal mode, in which readers would keep managers from writing.
    fn return_to_wal(&mut self) -> Result<(), StoreError> {
        if self.ask::<_, String>(JournalMode {})? == WAL {
            return Ok(());
        }
        match self.ask::<_, String>(SwitchToWal {})? {
            mode if mode == WAL => Ok(()),
            mode => Err(StoreError::NotWal { path: self.file.path.clone(), mode }),
        }
    }

    fn refuse_unsafe_sqlite(&mut self) -> Result<(), StoreError> {
        let found: String = self.ask(EngineVersion {})?;
        let (required, oldest) = OLDEST_SAFE_SQLITE;
        let numbers: Vec<u32> = found.split('.').map_while(|part| part.parse().ok()).collect();
        if numbers.as_slice() < oldest.as_slice() {
            return Err(StoreError::SqliteTooOld { found, required });
        }
        Ok(())
    }

    pub(super) fn execute(&mut self, sql: &str) -> Result<(), StoreError> {
        self.conn.batch_execute(sql).map_err(|error| Failure::Sql(error).during("open the database", &self.file.path))
    }

    pub(super) fn ask<'query, Q, T>(&mut self, question: Q) -> Result<T, StoreError>
    where
        Q: diesel::query_dsl::LoadQuery<'query, DbConnection, T>,
    {
        question
            .get_result(&mut self.conn)
            .map_err(|error| Failure::Sql(error).during("open the database", &self.file.path))
    }
}

/// Refuses a database of another program without a change to it: a connection that may write would take back a
/// transaction that its own program left half done, and move its log into it.
fn refuse_foreign(path: &Path) -> Result<(), StoreError> {
    let url = format!("file:{}?mode=ro&immutable=1", percent_encoded(path));
    let Ok(mut conn) = SqliteConnection::establish(&url) else { return Ok(()) };
    let mut ask = || -> QueryResult<bool> {
        let application: i32 = ApplicationId {}.get_result(&mut conn)?;
        let version: i32 = UserVersion {}.get_result(&mut conn)?;
        // A database of ours whose first pages are still in the log looks empty here.
        let is_empty = application == 0 && version == 0 && TableCount {}.get_result::<i32>(&mut conn)? == 0;
        Ok(application != APPLICATION_ID && !is_empty)
    };
    match ask() {
        Ok(true) => Err(of_another_program(path)),
        Err(error) if error.to_string().contains(NO_DATABASE) && !was_ours(path) => {
            Err(StoreError::NotOurs { path: path.to_owned(), reason: "it is not an SQLite database".to_owned() })
        }
        // What cannot be read so is judged, and named, by the proper connection.
        Ok(false) | Err(_) => Ok(()),
    }
}

/// Returns `true` if there is beside a file what only a database of ours has: it was one, and is damaged.
fn was_ours(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    StateDir::beside(path).path().exists() || Path::new(&log).exists()
}

fn of_another_program(path: &Path) -> StoreError {
    StoreError::NotOurs { path: path.to_owned(), reason: "it belongs to another program".to_owned() }
}
