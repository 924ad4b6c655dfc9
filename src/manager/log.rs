//! The manager's log: its standard error, one line per event.

use std::fmt::Arguments;
use std::io::Write as _;

use crate::model::Timestamp;

/// Writes one line. A full disk or a closed file is no reason to stop a batch, so that a failure is ignored.
pub(super) fn line(message: Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "{} {message}", Timestamp::now());
}

/// Writes one line, formatted like `format!`.
macro_rules! log_line {
    ($($arg:tt)*) => { $crate::manager::log::line(format_args!($($arg)*)) };
}

pub(super) use log_line;
