//! Parts of messages that depend on what is known, and what is said of files.

use std::fmt::Display;
use std::io;
use std::path::PathBuf;

use super::ClientError;
use crate::files::explain_denied;
use crate::model::JobId;

impl ClientError {
    /// Returns a function that wraps what the operating system said about a file.
    pub(in crate::client) fn files(
        operation: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> ClientError {
        let path = path.into();
        move |source| {
            let source = explain_denied(&path, source);
            ClientError::Files { operation, path, source }
        }
    }
}

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
