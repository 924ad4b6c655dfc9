//! The form of the lines in a manager's log.

use std::ffi::OsString;
use std::str::FromStr;

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

/// A variable of ours that is about managers.
#[derive(Debug, Clone, Copy)]
pub struct OwnVariable {
    /// Its name.
    pub name: &'static str,
    /// What it may be, in words.
    pub expected: &'static str,
}

/// Least severe events that a manager logs.
pub const LOG_LEVEL: OwnVariable =
    OwnVariable { name: "JOB_MANAGER_LOG", expected: "error, warn, info, debug or trace" };
/// Most bytes of one of the two files of a manager's log.
pub const LOG_BYTES: OwnVariable = OwnVariable { name: "JOB_MANAGER_LOG_BYTES", expected: "a number above 0" };

/// A variable of ours that says nothing that can be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {given:?}, which is not understood: give {expected}")]
pub struct OwnVariableError {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub given: OsString,
    /// What it may be, in words.
    pub expected: &'static str,
}

impl OwnVariable {
    /// Reads what it is set to; an empty text is as good as none.
    pub fn read<T: FromStr>(self, given: Option<OsString>) -> Result<Option<T>, OwnVariableError> {
        let Some(given) = given.filter(|given| !given.is_empty()) else { return Ok(None) };
        match given.to_str().and_then(|given| given.parse().ok()) {
            Some(value) => Ok(Some(value)),
            None => Err(self.refuses(given)),
        }
    }

    /// Says that it cannot be meant so.
    pub fn refuses(self, given: OsString) -> OwnVariableError {
        OwnVariableError { name: self.name, given, expected: self.expected }
    }
}
