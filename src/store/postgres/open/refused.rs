//! Why a server, or libpq, makes no connection, by its words: diesel hands out nothing else.
//!
//! Known weakness: a server that speaks another language is not understood; its words are shown then.

use diesel::ConnectionError;

use super::address::Address;
use super::error::{PostgresError, Refused};
use crate::store::Fault;

/// The kinds of refusal that call for different answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    Unreachable,
    NotReady,
    Full,
    Login,
    NoDatabase,
    Settings,
    ReadOnly,
}

/// The first that fits counts: "database does not exist" is not "role does not exist".
const TEXTS: &[(&str, Reason)] = &[
    ("unsupported startup parameter", Reason::Settings),
    ("permission denied to set parameter", Reason::Settings),
    ("unrecognized configuration parameter", Reason::Settings),
    ("invalid value for parameter", Reason::Settings),
    ("invalid command-line argument", Reason::Settings),
    ("must be set to 0 on platforms", Reason::Settings),
    ("session is read-only", Reason::ReadOnly),
    ("server is in hot standby mode", Reason::ReadOnly),
    ("too many clients", Reason::Full),
    ("too many connections", Reason::Full),
    ("remaining connection slots", Reason::Full),
    ("no more connections allowed", Reason::Full),
    ("the database system is", Reason::NotReady),
    ("terminating connection due to", Reason::NotReady),
    ("authentication failed", Reason::Login),
    ("no password supplied", Reason::Login),
    ("no pg_hba.conf entry", Reason::Login),
    ("pg_hba.conf rejects", Reason::Login),
    ("is not permitted to log in", Reason::Login),
    ("permission denied for database", Reason::Login),
    ("certificate", Reason::Login),
    ("no such user", Reason::Login),
    ("no such database", Reason::NoDatabase),
    ("could not connect", Reason::Unreachable),
    ("could not translate host name", Reason::Unreachable),
    ("could not receive data", Reason::Unreachable),
    ("could not send", Reason::Unreachable),
    ("connection refused", Reason::Unreachable),
    ("no such file or directory", Reason::Unreachable),
    ("permission denied", Reason::Unreachable),
    ("timeout expired", Reason::Unreachable),
    ("timed out", Reason::Unreachable),
    ("closed the connection unexpectedly", Reason::Unreachable),
    ("no route to host", Reason::Unreachable),
    ("network is unreachable", Reason::Unreachable),
    ("connection reset", Reason::Unreachable),
];

/// Says by the words of libpq why there is no connection to a database.
pub(super) fn not_connected(address: &Address, error: &ConnectionError) -> PostgresError {
    let words = match error {
        ConnectionError::BadConnection(words) => address.without_password(words.trim()),
        other => address.without_password(&other.to_string()),
    };
    // A session may end while it is set up.
    let is_lost = matches!(error, ConnectionError::CouldntSetupConfiguration(error) if Fault::of_sql(error) == Fault::Disconnected);
    let reason = if is_lost { Some(Reason::NotReady) } else { reason_of(&words) };
    let source = Refused(words);
    let database = address.name();
    match reason {
        Some(Reason::Unreachable) => PostgresError::Unreachable { database, source },
        Some(Reason::NotReady) => PostgresError::NotReady { database, source },
        Some(Reason::Full) => PostgresError::Full { database, source },
        Some(Reason::Login) => PostgresError::Login { database, source },
        Some(Reason::NoDatabase) => PostgresError::NoDatabase { database, source },
        Some(Reason::Settings) => PostgresError::Settings { database, source },
        Some(Reason::ReadOnly) => PostgresError::ReadOnly { database, source: Some(source) },
        None => PostgresError::Other { operation: "connect to", database, source },
    }
}

/// Says what a server refused to a session that is not used yet.
pub(super) fn refused(address: &Address, operation: &'static str, error: &diesel::result::Error) -> PostgresError {
    let (database, source) = (address.name(), Refused(address.without_password(&error.to_string())));
    match Fault::of_sql(error) {
        Fault::Disconnected => PostgresError::NotReady { database, source },
        _ => PostgresError::Other { operation, database, source },
    }
}

fn reason_of(words: &str) -> Option<Reason> {
    let words = words.to_ascii_lowercase();
    // Both names are the user's, and may be any words.
    if words.ends_with("\" does not exist") {
        let is_role = words.contains("fatal:  role \"") || words.contains("fatal: role \"");
        return Some(if is_role { Reason::Login } else { Reason::NoDatabase });
    }
    TEXTS.iter().find(|(text, _)| words.contains(text)).map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_server_say_what_is_to_be_done() {
        let failed = r#"connection to server on socket "/run/.s.PGSQL.5432" failed: "#;
        for (words, reason) in [
            (r#"FATAL:  database "timeout expired" does not exist"#, Some(Reason::NoDatabase)),
            (r#"FATAL:  role "joe" does not exist"#, Some(Reason::Login)),
            (r#"FATAL:  password authentication failed for user "joe""#, Some(Reason::Login)),
            ("fe_sendauth: no password supplied", Some(Reason::Login)),
            ("FATAL:  sorry, too many clients already", Some(Reason::Full)),
            ("FATAL:  the database system is starting up", Some(Reason::NotReady)),
            ("FATAL:  unsupported startup parameter: options", Some(Reason::Settings)),
            (r#"FATAL:  permission denied to set parameter "lc_messages""#, Some(Reason::Settings)),
            ("No such file or directory\n\tIs the server running locally", Some(Reason::Unreachable)),
            ("session is read-only", Some(Reason::ReadOnly)),
            ("FATAL:  etwas ganz anderes", None),
        ] {
            assert_eq!(reason_of(&format!("{failed}{words}")), reason, "{words}");
        }
    }
}
