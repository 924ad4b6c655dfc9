//! What of databases on a PostgreSQL server shows where no server is spoken to.

use std::ffi::OsStr;
use std::path::Path;

/// Names of variables that libpq reads: of whoever opens a database, and not of the units of a job in it.
pub const LIBPQ_VARIABLES: [&str; 42] = [
    "PGAPPNAME",
    "PGCHANNELBINDING",
    "PGCLIENTENCODING",
    "PGCONNECT_TIMEOUT",
    "PGDATABASE",
    "PGDATESTYLE",
    "PGGEQO",
    "PGGSSDELEGATION",
    "PGGSSENCMODE",
    "PGGSSLIB",
    "PGHOST",
    "PGHOSTADDR",
    "PGKRBSRVNAME",
    "PGLOADBALANCEHOSTS",
    "PGLOCALEDIR",
    "PGMAXPROTOCOLVERSION",
    "PGMINPROTOCOLVERSION",
    "PGOPTIONS",
    "PGPASSFILE",
    "PGPASSWORD",
    "PGPORT",
    "PGREALM",
    "PGREQUIREAUTH",
    "PGREQUIREPEER",
    "PGREQUIRESSL",
    "PGSERVICE",
    "PGSERVICEFILE",
    "PGSSLCERT",
    "PGSSLCERTMODE",
    "PGSSLCOMPRESSION",
    "PGSSLCRL",
    "PGSSLCRLDIR",
    "PGSSLKEY",
    "PGSSLMAXPROTOCOLVERSION",
    "PGSSLMINPROTOCOLVERSION",
    "PGSSLMODE",
    "PGSSLNEGOTIATION",
    "PGSSLROOTCERT",
    "PGSSLSNI",
    "PGSYSCONFDIR",
    "PGTARGETSESSIONATTRS",
    "PGUSER",
];
/// The one of them that goes on from an address with a password to managers, and to no unit by whatever name.
pub const PASSWORD_VARIABLE: &str = "PGPASSWORD";
/// How long a system identifier is, in decimal.
const DIGITS: std::ops::RangeInclusive<usize> = 19..=20;

/// Returns `true` for a path that has the name of a marker, the file that stands for a database on a server: its system
/// identifier, a dash, and the name of the database.
pub fn is_marker(path: &Path) -> bool {
    let parts = path.file_name().and_then(OsStr::to_str).and_then(|name| name.split_once('-'));
    parts.is_some_and(|(system, database)| {
        DIGITS.contains(&system.len())
            && system.bytes().all(|byte| byte.is_ascii_digit())
            && !database.is_empty()
            && database.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-%".contains(&byte))
    })
}

/// Returns `true` for a variable that is about the server on which a database is; none is, of a database in a file.
pub fn is_of_server(name: &OsStr, database: &Path) -> bool {
    LIBPQ_VARIABLES.iter().any(|variable| name == *variable) && is_marker(database)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_known_by_its_name() {
        for name in ["7712578405957208338-jobs", "/a/7712578405957208338-my%20jobs", "17712578405957208338-x%2Ed"] {
            assert!(is_marker(Path::new(name)), "{name}");
        }
        for name in
            ["jobs.db", "2024-jobs", "7712578405957208338-", "7712578405957208338-x.d", "x712578405957208338-j", ""]
        {
            assert!(!is_marker(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn variables_of_libpq_are_of_a_database_on_a_server_only() {
        let (server, file) = (Path::new("/s/7712578405957208338-jobs"), Path::new("/s/jobs.db"));

        assert!(is_of_server(OsStr::new("PGHOST"), server) && is_of_server(OsStr::new("PGPASSWORD"), server));
        assert!(!is_of_server(OsStr::new("PGHOST"), file) && !is_of_server(OsStr::new("PGDATA"), server));
    }
}
