//! Parts of messages that depend on what is known.

use std::fmt::Display;
use std::time::Duration;

use crate::model::JobId;
use crate::model::time::exact_span;

pub fn after(mark: &str, what: &Option<impl Display>) -> String {
    what.as_ref().map(|what| format!("{mark}{what}")).unwrap_or_default()
}

pub fn known(secrets: &str) -> String {
    if secrets.is_empty() { "it was submitted with none".to_owned() } else { format!("they get {secrets}") }
}

pub fn no_scope(job: Option<JobId>) -> String {
    match job {
        None => "cannot make a systemd scope for the manager, nothing was created".to_owned(),
        Some(job) => format!("job {job} was created to run in a systemd scope, which cannot be made here"),
    }
}

pub fn excerpt(tail: &str) -> String {
    if tail.is_empty() { String::new() } else { format!("; its last words: {tail}") }
}

/// Says how long something was waited for; nothing of a look.
pub fn within(waited: Duration) -> String {
    if waited.is_zero() { String::new() } else { format!(" after {}", exact_span(waited)) }
}
