//! What is refused about a database on a server, in the terms of whoever has to act on it.
//!
//! A sentence names the database by host, port and name; what a server or libpq said is the cause, without a password.

use std::path::PathBuf;

use crate::model::ErrorKind;
use crate::store::Fault;

/// A server, or what is on it, that is not used; nothing was changed there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PostgresError {
    /// The text is no address of a database.
    #[error("the URL of the database cannot be read: {reason}")]
    Address {
        /// Why, without what may be a password.
        reason: String,
    },
    /// Nobody answers there, or not in time.
    #[error("cannot reach the {database}: look whether the server runs, and at host and port")]
    Unreachable {
        /// The database.
        database: String,
        /// The words of libpq.
        source: Refused,
    },
    /// The server starts, stops, or recovers.
    #[error("the server of the {database} is starting up or shutting down: try again")]
    NotReady {
        /// The database.
        database: String,
        /// The words of the server.
        source: Refused,
    },
    /// The server has no connection left.
    #[error("the server of the {database} has no connection left: end some, or raise its max_connections")]
    Full {
        /// The database.
        database: String,
        /// The words of the server.
        source: Refused,
    },
    /// The server does not let this user in.
    #[error(
        "the {database} does not let this user in: give the password by a file (PGPASSFILE, ~/.pgpass), a service (PGSERVICE) \
         or PGPASSWORD, or have the server's pg_hba.conf allow it"
    )]
    Login {
        /// The database.
        database: String,
        /// The words of the server.
        source: Refused,
    },
    /// The server has no database of that name.
    #[error("there is no {database}: create it with CREATE DATABASE, or name another one")]
    NoDatabase {
        /// The database.
        database: String,
        /// The words of the server.
        source: Refused,
    },
    /// The server, or a pooler before it, does not take the settings that a session begins with.
    #[error(
        "what answers for the {database} does not take the settings of our session: behind a pooler (PgBouncer) name the server \
         itself, otherwise look at the options of the URL"
    )]
    Settings {
        /// The database.
        database: String,
        /// Its words.
        source: Refused,
    },
    /// Something between this machine and the server gives one session to several clients.
    #[error(
        "a pooler (PgBouncer) stands before the {database}, and settings of a session do not arrive behind it: name the server \
         itself, its own host and port"
    )]
    Pooler {
        /// The database.
        database: String,
    },
    /// The server can be read only.
    #[error("the {database} is read-only, a standby or set so: name the primary server")]
    ReadOnly {
        /// The database.
        database: String,
        /// The words of libpq, if it found that out.
        source: Option<Refused>,
    },
    /// A failover has taken place, and the server is the one before it.
    #[error(
        "what answers for the {database} is a former primary server, whose place another one has taken: stop it, and let the address \
         lead to the one that goes on"
    )]
    FormerPrimary {
        /// The database.
        database: String,
    },
    /// The server is too old.
    #[error("the server of the {database} is PostgreSQL {found}, and {required} or newer is needed: upgrade it")]
    ServerTooOld {
        /// The database.
        database: String,
        /// Its version.
        found: String,
        /// The oldest that will do.
        required: i32,
    },
    /// The database keeps text in another encoding.
    #[error("the {database} is encoded in {found}: create one with ENCODING 'UTF8' TEMPLATE template0")]
    Encoding {
        /// The database.
        database: String,
        /// Its encoding.
        found: String,
    },
    /// No schema of the search path exists.
    #[error(
        "the {database} has no schema for this user: create one, or name one by options=-csearch_path=NAME in the URL"
    )]
    NoSchema {
        /// The database.
        database: String,
    },
    /// This user may not make tables.
    #[error(
        "this user may not create tables in schema {schema} of the {database}: have an administrator GRANT CREATE, USAGE ON SCHEMA to \
         it, or create the tables"
    )]
    NoRights {
        /// The database.
        database: String,
        /// The schema.
        schema: String,
    },
    /// This user may not read the tables that are there.
    #[error(
        "this user may not use the tables in schema {schema} of the {database}: have an administrator GRANT SELECT, INSERT, UPDATE, \
         DELETE ON ALL TABLES IN SCHEMA to it"
    )]
    NoAccess {
        /// The database.
        database: String,
        /// The schema.
        schema: String,
    },
    /// There are no tables, and the operation does not create them.
    #[error(
        "there are no jobs in the {database}: its tables are made {}",
        if *may_create { "with the first one" } else { "by an administrator, because this user may not" }
    )]
    NoTables {
        /// The database.
        database: String,
        /// Whether this user may make them.
        may_create: bool,
    },
    /// The schema is that of another program.
    #[error(
        "schema {schema} of the {database} has tables of another program ({table}): name an empty schema by \
         options=-csearch_path=NAME in the URL, or another database"
    )]
    NotOurs {
        /// The database.
        database: String,
        /// The schema.
        schema: String,
        /// One of its tables.
        table: String,
    },
    /// A newer version has made the tables.
    #[error("the {database} has schema {found}, this version knows schemas up to {known}: install a newer job-manager")]
    TooNew {
        /// The database.
        database: String,
        /// Its schema number.
        found: i32,
        /// The newest schema number known here.
        known: i32,
    },
    /// The file that stands for a database leads to another one by now.
    #[error(
        "{} stands for another database than the {database}, which has the identity {found}: the server was restored or moved, or its \
         address is another one's now; open it by its URL, and jobs that run on this machine will be found where they were",
        marker.display()
    )]
    OtherDatabase {
        /// The file.
        marker: PathBuf,
        /// What answers there.
        database: String,
        /// Its system identifier and name.
        found: String,
    },
    /// A file that stands for a database holds no address.
    #[error("{} holds no address of a database: remove it, and open the database by its URL", marker.display())]
    NoAddress {
        /// The file.
        marker: PathBuf,
    },
    /// There is no place for what this machine keeps about the database.
    #[error("no directory for the state of this user: set XDG_STATE_HOME or HOME to an absolute path")]
    NoStateDirectory,
    /// The server refused in another way.
    #[error("cannot {operation} the {database}")]
    Other {
        /// What was tried.
        operation: &'static str,
        /// The database.
        database: String,
        /// The words of the server.
        source: Refused,
    },
}

/// The words of a server or of libpq, without a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

impl PostgresError {
    /// Returns `true` if a server says that it takes no connection at the moment.
    pub(in crate::store) fn is_of_moments(&self) -> bool {
        matches!(self, Self::NotReady { .. } | Self::Full { .. })
    }

    /// Returns what of it may pass, in the terms of the store.
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Self::Unreachable { .. } | Self::NotReady { .. } | Self::Full { .. } => Some(Fault::Disconnected),
            Self::ReadOnly { .. } | Self::FormerPrimary { .. } => Some(Fault::Standby),
            _ => None,
        }
    }

    /// Returns `true` if there are no tables yet, which the first job would make.
    pub fn is_no_tables(&self) -> bool {
        matches!(self, Self::NoTables { .. })
    }

    /// Returns what kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Address { .. } => ErrorKind::InvalidInput,
            Self::Unreachable { .. } | Self::NotReady { .. } | Self::Full { .. } => ErrorKind::Unavailable,
            Self::NoTables { .. } => ErrorKind::NotFound,
            Self::Login { .. }
            | Self::NoDatabase { .. }
            | Self::Settings { .. }
            | Self::Pooler { .. }
            | Self::ReadOnly { .. }
            | Self::FormerPrimary { .. }
            | Self::ServerTooOld { .. }
            | Self::Encoding { .. }
            | Self::NoSchema { .. }
            | Self::NoRights { .. }
            | Self::NoAccess { .. }
            | Self::NotOurs { .. }
            | Self::TooNew { .. }
            | Self::OtherDatabase { .. }
            | Self::NoAddress { .. }
            | Self::NoStateDirectory
            | Self::Other { .. } => ErrorKind::Database,
        }
    }
}
