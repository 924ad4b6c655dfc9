//! What every finding about a server is made with.

use crate::client::finding::{Finding, Severity};
use crate::store::ServerSettings;

pub(super) fn found(severity: Severity, about: &'static str, message: String) -> Finding {
    Finding { severity, about, message, remedy: None }
}

pub(super) fn ok(about: &'static str, message: impl Into<String>) -> Finding {
    found(Severity::Ok, about, message.into())
}

pub(super) fn warning(about: &'static str, message: impl Into<String>) -> Finding {
    found(Severity::Warning, about, message.into())
}

/// Says what shows a role the sessions of others.
pub(super) fn grant(settings: &ServerSettings) -> String {
    format!("GRANT pg_read_all_stats TO \"{}\"", settings.role.replace('"', "\"\""))
}
