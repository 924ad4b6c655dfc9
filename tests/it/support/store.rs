//! Where a world keeps its jobs: a file, or with `JM_TEST_STORE=postgres` a database of its own on a server.
//!
//! Tests read and write it through here, in SQL that both kinds of database know. A test that is about the file itself begins with
//! `needs_file!` and is skipped by name elsewhere.

use std::ffi::OsString;
use std::fs;
#[cfg(feature = "postgres")]
use std::panic::Location;
use std::path::{Path, PathBuf};

#[cfg(feature = "postgres")]
use diesel::PgConnection;
use diesel::connection::{Connection as _, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::BigInt;
#[cfg(feature = "postgres")]
use diesel::sql_types::Text;

#[cfg(feature = "postgres")]
use super::Server;
#[cfg(feature = "postgres")]
use super::skipped::{append, test_at};

/// The variable that chooses the store of all worlds.
pub const STORE: &str = "JM_TEST_STORE";
/// What a test must not hold while its world is looked at for a manager at rest.
#[cfg(feature = "postgres")]
const AT_WORK: &str = "SELECT count(*) AS number FROM pg_stat_activity WHERE datname = current_database() \
                       AND application_name = 'job-manager' AND xact_start IS NOT NULL";
#[cfg(feature = "postgres")]
const LOCK: &str = "BEGIN; LOCK TABLE jobs, specs, units, metadata, settings, managers, ranges IN EXCLUSIVE MODE";

#[cfg(feature = "postgres")]
const DROP_CHECKS: &str = "DO $$ DECLARE found record; BEGIN \
    FOR found IN SELECT conrelid::regclass AS of, conname FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0 LOOP \
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.of, found.conname); \
    END LOOP; END $$";

/// Leaves the calling test out, by name, in worlds whose jobs are not in a file.
macro_rules! needs_file {
    ($why:literal) => {
        if $crate::support::on_server() {
            return $crate::support::without(concat!("needs a file: ", $why));
        }
    };
}
pub(crate) use needs_file;

/// Says whether worlds keep their jobs on a server.
pub fn on_server() -> bool {
    match std::env::var(STORE).as_deref() {
        Ok("postgres") => true,
        Ok("sqlite") | Err(_) => false,
        Ok(other) => panic!("{STORE}={other}: it is sqlite or postgres"),
    }
}

/// Returns SQL for a column of JSON with the members of an object set; null takes one away, or is as good as that.
pub fn merged(column: &str, object: &str) -> String {
    if on_server() {
        format!("({column}::jsonb || '{object}')::text")
    } else {
        format!("json_patch({column}, '{object}')")
    }
}

/// The database of a world.
pub enum Store {
    File(PathBuf),
    #[cfg(feature = "postgres")]
    Server {
        url: String,
        /// The file that stands for it on this machine, once there is one.
        marker: PathBuf,
    },
}

/// A connection of a test's own.
pub enum Connection {
    File(SqliteConnection),
    #[cfg(feature = "postgres")]
    Server(PgConnection),
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

impl Store {
    /// Returns the store that the variable chooses, for a world in that directory.
    #[track_caller]
    pub fn of(dir: &Path) -> Store {
        if !on_server() {
            return Store::File(dir.join("jobs.db"));
        }
        #[cfg(feature = "postgres")]
        return Store::on_server(dir);
        #[cfg(not(feature = "postgres"))]
        panic!("{STORE}: the feature postgres is missing");
    }

    /// Makes a database on the server of all tests, and a link to its directory where that of a file would be.
    #[cfg(feature = "postgres")]
    #[track_caller]
    pub fn on_server(dir: &Path) -> Store {
        append("JM_TEST_ON_SERVER", &format!("{}\n", test_at(Location::caller())));
        let server = Server::shared().expect("there is a PostgreSQL server");
        let url = server.empty_database();
        let name = url.trim_start_matches("postgresql:///").split('?').next().expect("it has a name");
        let system = "SELECT system_identifier AS number FROM pg_control_system()";
        let mut conn = PgConnection::establish(&url).unwrap();
        let system = diesel::sql_query(system).get_result::<Number>(&mut conn).unwrap().number;
        let marker = dir.join("state/job-manager").join(format!("{system}-{name}"));
        let store = Store::Server { url, marker };
        std::os::unix::fs::symlink(store.state(), dir.join("jobs.db.d")).unwrap();
        store
    }

    /// Returns the file of the database, or the one that stands for it on this machine.
    pub fn file(&self) -> PathBuf {
        match self {
            Store::File(path) => path.clone(),
            #[cfg(feature = "postgres")]
            Store::Server { marker, .. } => marker.clone(),
        }
    }

    /// Returns what `--db` and the library take.
    pub fn address(&self) -> OsString {
        match self {
            Store::File(path) => path.clone().into(),
            #[cfg(feature = "postgres")]
            Store::Server { url, .. } => url.into(),
        }
    }

    /// Returns the directory of what is kept beside the database.
    pub fn state(&self) -> PathBuf {
        let mut name = OsString::from(self.file());
        name.push(".d");
        name.into()
    }

    /// Returns everything that it keeps, as bytes to look for something in.
    pub fn stored(&self) -> Vec<u8> {
        match self {
            Store::File(path) => {
                let mut log = OsString::from(path);
                log.push("-wal");
                // There is none when all of it is in the file.
                [fs::read(path).unwrap(), fs::read(log).unwrap_or_default()].concat()
            }
            #[cfg(feature = "postgres")]
            Store::Server { url, .. } => {
                let rows = diesel::dsl::sql::<Text>("SELECT schema_to_xml('public', true, false, '')::text");
                rows.get_result::<String>(&mut PgConnection::establish(url).unwrap()).unwrap().into_bytes()
            }
        }
    }

    pub fn connect(&self) -> Connection {
        match self {
            Store::File(path) => {
                let mut conn = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
                conn.batch_execute("PRAGMA busy_timeout = 10000").unwrap();
                Connection::File(conn)
            }
            #[cfg(feature = "postgres")]
            Store::Server { url, .. } => Connection::Server(PgConnection::establish(url).unwrap()),
        }
    }
}

impl Connection {
    pub fn execute(&mut self, statements: &str) -> QueryResult<()> {
        match self {
            _ if statements.is_empty() => Ok(()),
            Connection::File(conn) => conn.batch_execute(statements),
            #[cfg(feature = "postgres")]
            Connection::Server(conn) => conn.batch_execute(statements),
        }
    }

    /// Returns one number: `query` is what follows SELECT.
    pub fn count(&mut self, query: &str) -> i64 {
        let number = match self {
            Connection::File(conn) => {
                diesel::sql_query(format!("SELECT (SELECT {query}) AS number")).get_result::<Number>(conn)
            }
            #[cfg(feature = "postgres")]
            Connection::Server(conn) => {
                diesel::sql_query(format!("SELECT (SELECT {query})::bigint AS number")).get_result::<Number>(conn)
            }
        };
        number.unwrap_or_else(|error| panic!("{query}: {error}")).number
    }

    /// Has it keep what the rules of the schema refuse: of this connection in a file, of everybody on a server.
    pub fn without_checks(mut self) -> Connection {
        let rules = match self {
            Connection::File(_) => "PRAGMA ignore_check_constraints = ON",
            #[cfg(feature = "postgres")]
            Connection::Server(_) => DROP_CHECKS,
        };
        self.execute(rules).unwrap();
        self
    }

    /// Has it wait for no disk: many changes are made.
    pub fn without_sync(mut self) -> Connection {
        let setting = match self {
            Connection::File(_) => "PRAGMA synchronous = OFF",
            #[cfg(feature = "postgres")]
            Connection::Server(_) => "SET synchronous_commit = off",
        };
        self.execute(setting).unwrap();
        self
    }

    /// Keeps everybody else from writing until the connection is dropped.
    pub fn lock(mut self) -> Connection {
        let lock = match self {
            Connection::File(_) => "BEGIN IMMEDIATE",
            #[cfg(feature = "postgres")]
            Connection::Server(_) => LOCK,
        };
        self.execute(lock).unwrap();
        self
    }

    /// Says whether nobody else is in the middle of writing.
    pub fn is_writable(&mut self) -> bool {
        match self {
            Connection::File(conn) => conn.batch_execute("PRAGMA busy_timeout = 0; BEGIN IMMEDIATE; ROLLBACK").is_ok(),
            #[cfg(feature = "postgres")]
            Connection::Server(conn) => diesel::sql_query(AT_WORK).get_result::<Number>(conn).unwrap().number == 0,
        }
    }
}
