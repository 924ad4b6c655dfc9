//! The form of the lines in a manager's log.

use super::own_variable::OwnVariable;
use super::words::words;

/// How a manager writes its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON document a line.
    Json,
}

words! { LogFormat, "log format", { Text => "text", Json => "json" } }

impl LogFormat {
    /// The variable in which a manager finds its format.
    pub const VARIABLE: OwnVariable = OwnVariable { name: "JOB_MANAGER_LOG_FORMAT", expected: "text or json" };
}
