//! What is refused because it is not allowed, and what would allow it.

use std::io;
use std::path::PathBuf;

use job_manager::submission::SubmissionError;

/// A flag that allows what is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AllowError {
    /// A directory cannot be found.
    #[error("--allow-dir {}: there is no such directory", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A command cannot be found.
    #[error("--allow-command {name}")]
    Command {
        /// Its name.
        name: String,
        /// The cause.
        source: Box<SubmissionError>,
    },
}

/// Something that may not be used.
#[derive(Debug, thiserror::Error)]
pub(in crate::mcp) enum Refused {
    #[error("{parameter} {path:?} is outside of the directories that are allowed: {allowed}")]
    Outside { parameter: &'static str, path: String, allowed: String },
    #[error("the pattern {pattern:?} cannot be kept inside the allowed directories: {why}")]
    Pattern { pattern: String, why: &'static str },
    #[error("the command {name:?} is not allowed; allowed commands: {allowed}")]
    Command { name: String, allowed: String },
    #[error("the program is named by the items ({0}), so it cannot be known whether it is allowed: name it in command")]
    ProgramOfItems(String),
    #[error("{parameter} is a script for a shell, which may run any command")]
    Shell { parameter: &'static str },
    #[error("the variable {0} decides which code runs: it cannot be given here")]
    Variable(String),
    #[error("its units are run by the handler {0:?} of a service")]
    Handler(String),
    #[error("this server changes nothing (--read-only)")]
    ReadOnly,
}

impl Refused {
    /// What can be done about a path that is outside.
    pub const OUTSIDE: &str =
        "Nothing was created: use a path inside, or ask the person to add --allow-dir DIR to this server's arguments";

    /// Says what can be done about it.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::Outside { .. } | Self::Pattern { .. } => Self::OUTSIDE,
            Self::Command { .. } => {
                "Nothing was created: use an allowed command, or ask the person to add --allow-command NAME to this server's \
                 arguments"
            }
            Self::ProgramOfItems(_) | Self::Variable(_) | Self::Handler(_) => {
                "Nothing was created: correct this and call again"
            }
            Self::Shell { .. } => {
                "Nothing was created: give command with a program and its arguments, or ask the person to add --allow-shell \
                 to this server's arguments"
            }
            Self::ReadOnly => "Nothing was changed: a person can start the server without --read-only",
        }
    }

    /// Says what can be done about it where it is of a job that is there.
    pub fn next_step_of_job(&self) -> &'static str {
        match self {
            Self::Outside { .. } | Self::Pattern { .. } => {
                "Nothing was changed: a person can resume it in a terminal, or add --allow-dir DIR to this server's arguments"
            }
            Self::Command { .. } => {
                "Nothing was changed: a person can resume it in a terminal, or add --allow-command NAME to this server's \
                 arguments"
            }
            Self::ProgramOfItems(_) | Self::Handler(_) | Self::Variable(_) => {
                "Nothing was changed: a person can resume it in a terminal, or add --allow-command '*' to this server's \
                 arguments"
            }
            Self::Shell { .. } => {
                "Nothing was changed: a person can resume it in a terminal, or add --allow-shell to this server's arguments"
            }
            Self::ReadOnly => self.next_step(),
        }
    }
}
