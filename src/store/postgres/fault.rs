//! Kinds of refusal by a server, from its fixed texts and those of libpq.
//!
//! What diesel tells by itself (40001, 23*, 25006, a connection that is lost) is not looked for here. Known weakness: a server
//! that speaks another language, and does not let this user change that, is not understood: its refusals are unexpected ones.

#[cfg(test)]
use diesel::ConnectionError;

use crate::store::Fault;

/// Has the server speak English in this session, where it lets the user choose; to be run first on each connection.
///
/// It is no start option, because a server that does not let the user choose would refuse the connection.
pub(in crate::store) const ENGLISH: &str = "DO $$ BEGIN PERFORM set_config('lc_messages', 'C', false); \
    EXCEPTION WHEN insufficient_privilege THEN NULL; END $$";

/// Texts with the SQLSTATEs that they stand for; the first one that is found holds.
const TEXTS: &[(&str, Fault)] = &[
    // 40P01, 55P03, 57014, 53200.
    ("deadlock detected", Fault::Conflict),
    ("could not serialize access", Fault::Conflict),
    ("canceling statement due to", Fault::Conflict),
    ("could not obtain lock on", Fault::Conflict),
    ("out of memory", Fault::Conflict),
    ("out of shared memory", Fault::Conflict),
    // 53100; also of libpq's own files.
    ("No space left on device", Fault::Full),
    ("Disk quota exceeded", Fault::Full),
    // 28P01, 28000, and what libpq says when it has no password to give.
    ("authentication failed", Fault::LoginRefused),
    ("no password supplied", Fault::LoginRefused),
    ("pg_hba.conf", Fault::LoginRefused),
    ("is not permitted to log in", Fault::LoginRefused),
    // A number for a transaction, of a standby.
    ("during recovery", Fault::Standby),
    // 57P01 to 57P05, 25P03, 53300.
    ("terminating connection", Fault::Disconnected),
    ("the database system is", Fault::Disconnected),
    ("too many clients", Fault::Disconnected),
    ("too many connections", Fault::Disconnected),
    ("remaining connection slots are reserved", Fault::Disconnected),
    // 42501.
    ("permission denied", Fault::Denied),
    ("must be owner of", Fault::Denied),
    // 22P02 of a column that must be JSON, and 22021 of a text with a NUL.
    ("invalid input syntax for type json", Fault::Constraint),
    ("invalid byte sequence for encoding", Fault::Constraint),
];

/// What a server does not have, as the first word of a text about it: 28000, 3D000, 42P01, 42703, 42704 and 3F000.
const MISSING: &[(&str, Fault)] = &[
    ("role", Fault::LoginRefused),
    ("database", Fault::UnknownDatabase),
    ("relation", Fault::Incomplete),
    ("column", Fault::Incomplete),
    ("index", Fault::Incomplete),
    ("schema", Fault::Incomplete),
];

/// What libpq says about a connection, by itself or before what the server says.
const CONNECTION: &[&str] = &[
    "connection to server",
    "server closed the connection unexpectedly",
    "no connection to the server",
    "could not translate host name",
    "could not receive data from server",
    "could not send data to server",
    "SSL connection has been closed",
    "SSL SYSCALL error",
    "timeout expired",
];

impl Fault {
    /// Classifies a text of a server, or of libpq.
    pub(in crate::store) fn of_server_message(message: &str) -> Option<Fault> {
        let missing = || {
            let about = message.strip_suffix('\n').unwrap_or(message).strip_suffix(" does not exist")?;
            // The words of libpq, which may name several servers, stand before those of the last one.
            let about = about.rsplit_once("FATAL:  ").map_or(about, |(_, about)| about);
            MISSING.iter().find(|(what, _)| about.split(' ').next() == Some(what))
        };
        let found = TEXTS.iter().find(|(text, _)| message.contains(text)).or_else(missing).map(|(_, fault)| *fault);
        let is_lost = || CONNECTION.iter().any(|text| message.contains(text));
        found.or_else(|| is_lost().then_some(Fault::Disconnected))
    }

    /// Classifies why there is no connection.
    #[cfg(test)]
    pub(in crate::store) fn of_connection(error: &ConnectionError) -> Fault {
        match error {
            ConnectionError::BadConnection(message) => Self::of_message(message),
            ConnectionError::CouldntSetupConfiguration(error) => Self::of_sql(error),
            _ => Fault::Unexpected,
        }
    }
}
