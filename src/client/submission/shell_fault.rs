//! What can be wrong with a shell of scripts.

use std::fmt;

/// Why a program cannot be the shell of scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShellFault {
    /// Nothing was named.
    Empty,
    /// Something with blanks was named, as if a shell could be given options.
    Options,
    /// It does not run a script.
    RunsNoScript,
    /// It reads quotes in another way than POSIX says.
    QuotesOtherwise,
}

impl fmt::Display for ShellFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty, expected e.g. bash",
            Self::Options => "a shell is a program, without options",
            Self::RunsNoScript => "it does not run a script given after -c",
            Self::QuotesOtherwise => "it does not read quotes as a POSIX shell does",
        })
    }
}
