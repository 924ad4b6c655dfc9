//! Settings that a session on the server begins with.
//!
//! `lc_messages` is none of them: who is no superuser may not set it, and would not be let in at all.

/// Their keyword in a connection string.
pub(super) const OPTIONS: &str = "options";
/// A setting without a meaning: a session in which it is another one is not the one that was asked for.
pub(super) const MARK: &str = "job_manager.session";

/// A statement waits no longer than that for another session's lock, as on SQLite; a transaction spans no wait, and one
/// that idles is that of a process that is suspended. What a dead or unreachable client has begun ends by itself.
const SETTINGS: [(&str, &str); 5] = [
    ("lock_timeout", "10000"),
    ("idle_in_transaction_session_timeout", "10000"),
    ("statement_timeout", "300000"),
    ("tcp_user_timeout", "8000"),
    ("client_connection_check_interval", "5000"),
];

/// Returns the options of a session; those that somebody has given come last, and win.
pub(super) fn options(mark: &str, given: Option<&[u8]>) -> Vec<u8> {
    let mut text = format!("-c {MARK}={mark}");
    for (name, value) in SETTINGS {
        text.push_str(&format!(" -c {name}={value}"));
    }
    let mut bytes = text.into_bytes();
    if let Some(given) = given {
        bytes.push(b' ');
        bytes.extend_from_slice(given);
    }
    bytes
}
