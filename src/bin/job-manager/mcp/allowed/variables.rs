//! Variables that a caller may give to units.
//!
//! There is no end to the programs that take code from their environment, so names are refused by what they sound like.

use super::{Allowed, Refused};

/// Parts of names of which something is loaded, searched or run.
const PARTS: [&str; 14] = [
    "PATH", "PRELOAD", "LIBRARY", "OPT", "FLAGS", "COMMAND", "EDITOR", "PAGER", "SHELL", "HOME", "STARTUP", "INIT",
    "LESS", "CONFIG",
];
/// Beginnings of names by which loaders, shells, interpreters and tools are steered.
const BEGINNINGS: [&str; 20] = [
    "LD_",
    "DYLD_",
    "GCONV",
    "GLIBC",
    "MALLOC",
    "BASH",
    "ENV",
    "IFS",
    "PS4",
    "PROMPT",
    "PYTHON",
    "PERL",
    "RUBY",
    "NODE",
    "JAVA",
    "_JAVA",
    "JDK",
    "GIT_",
    "SSH_",
    "JOB_MANAGER_",
];

impl Allowed {
    /// Refuses a variable, given as NAME or NAME=VALUE, that decides which code runs.
    pub(in crate::mcp) fn expect_variable(&self, given: &str) -> Result<(), Refused> {
        let (name, _) = given.split_once('=').unwrap_or((given, ""));
        let loud = name.to_ascii_uppercase();
        let is_harmful = PARTS.iter().any(|part| loud.contains(part))
            || BEGINNINGS.iter().any(|beginning| loud.starts_with(beginning));
        if is_harmful { Err(Refused::Variable(name.to_owned())) } else { Ok(()) }
    }
}
