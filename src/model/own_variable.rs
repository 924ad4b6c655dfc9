//! Variables of ours that are about managers or their attempts, and the refusal of values that are not understood.

use std::ffi::OsString;
use std::str::FromStr;

/// A variable of ours that is about managers.
#[derive(Debug, Clone, Copy)]
pub struct OwnVariable {
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub expected: &'static str,
}

/// Where an attempt says that it lives; set for one that is ended when it gives no sign of life.
pub const ALIVE_VARIABLE: &str = "JOB_MANAGER_ALIVE";

/// The key with which a manager signs what it tells an address; it is in no row and in no other process that it starts.
pub const NOTIFY_KEY: &str = "JOB_MANAGER_NOTIFY_KEY";

/// Least severe events that a manager logs.
pub const LOG_LEVEL: OwnVariable =
    OwnVariable { name: "JOB_MANAGER_LOG", expected: "error, warn, info, debug or trace" };
/// Most bytes of one of the two files of a manager's log.
pub const LOG_BYTES: OwnVariable = OwnVariable { name: "JOB_MANAGER_LOG_BYTES", expected: "a number above 0" };

/// A variable of ours whose value is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {given:?}, which is not understood: give {expected}")]
pub struct OwnVariableError {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub given: OsString,
    /// What it may be.
    pub expected: &'static str,
}

impl OwnVariable {
    /// Reads its value; an empty one counts as not set.
    pub fn read<T: FromStr>(self, given: Option<OsString>) -> Result<Option<T>, OwnVariableError> {
        let Some(given) = given.filter(|given| !given.is_empty()) else { return Ok(None) };
        match given.to_str().and_then(|given| given.parse().ok()) {
            Some(value) => Ok(Some(value)),
            None => Err(self.refuses(given)),
        }
    }

    /// Returns the refusal of a value.
    pub fn refuses(self, given: OsString) -> OwnVariableError {
        OwnVariableError { name: self.name, given, expected: self.expected }
    }
}
