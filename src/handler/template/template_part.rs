//! The parts of how units run that a placeholder can stand in.

use std::fmt;

/// What a template is for, besides the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TemplatePart {
    /// The working directory.
    Cwd,
    /// The value of a variable.
    Env,
    /// The path that a unit makes.
    Creates,
    /// The order of the units.
    Order,
    /// How long an attempt may take.
    Timeout,
    /// How many workers a unit takes.
    Slots,
}

impl fmt::Display for TemplatePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cwd => "the working directory",
            Self::Env => "a variable",
            Self::Creates => "the path that a unit makes",
            Self::Order => "the order",
            Self::Timeout => "the timeout",
            Self::Slots => "the number of workers",
        })
    }
}
