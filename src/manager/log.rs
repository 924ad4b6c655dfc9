//! The manager's log: its standard error, one line per event.

use std::fmt::Arguments;
use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::Timestamp;

static OPEN: AtomicBool = AtomicBool::new(false);

/// Makes this process a manager whose standard error is the log; until then nothing is logged.
pub(super) fn open() {
    OPEN.store(true, Ordering::Relaxed);
}

/// Writes one line. A full disk or a closed file is no reason to stop a batch, so that a failure is ignored.
pub(super) fn line(message: Arguments<'_>) {
    if !OPEN.load(Ordering::Relaxed) {
        return;
    }
    let _ = writeln!(std::io::stderr(), "{} {message}", Timestamp::now());
}

/// Writes one line, formatted like `format!`.
macro_rules! log_line {
    ($($arg:tt)*) => { $crate::manager::log::line(format_args!($($arg)*)) };
}

pub(super) use log_line;
