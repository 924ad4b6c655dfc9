//! The manager's log: events of this process as lines on its standard error, which is a file of bounded length.
//!
//! Only a launcher or a manager writes one. A program that has set a subscriber of its own by then keeps it, and its
//! events go wherever that sends them; what lands on standard error is bounded all the same. Known weakness: a line is
//! not cut, so that one longer than the bound makes the file as long as itself.

mod file;
mod line;
mod subscriber;

use std::env;
use std::io::Write;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing::warn;

use self::file::LogFile;
use self::subscriber::LogSubscriber;
use crate::model::{JobFiles, LOG_BYTES, LOG_LEVEL, LogFormat, OwnVariable, OwnVariableError};
use crate::sys;

const DEFAULT_BYTES: NonZeroU64 = NonZeroU64::new(8 << 20).expect("it is above zero");

/// The file, once this process is the one that bounds it.
static FILE: Mutex<Option<LogFile>> = Mutex::new(None);

/// Has the events of this process written, unless it has a subscriber already.
pub(super) fn install() {
    let (level, level_refused) = variable(LOG_LEVEL, LevelFilter::INFO);
    let (format, format_refused) = variable(LogFormat::VARIABLE, LogFormat::default());
    // It fails where the program has one of its own, which stays.
    let _ = tracing::subscriber::set_global_default(LogSubscriber::new(level, format, write));
    [level_refused, format_refused].iter().flatten().for_each(|refused| warn!("{refused}"));
}

/// Bounds the log from here on; for the one that holds the job's lock.
pub(super) fn bound(files: &JobFiles) {
    let (bytes, refused) = variable(LOG_BYTES, DEFAULT_BYTES);
    match LogFile::open(files, bytes.get(), sys::replace_stderr) {
        Ok(file) => *lock() = Some(file),
        Err(error) => warn!("the log can become of any length: {error}"),
    }
    refused.iter().for_each(|refused| warn!("{refused}"));
}

/// Goes on in a new file when others than this log, who write to standard error too, have filled the present one.
pub(super) fn rotate_when_full() {
    if let Some(file) = &mut *lock() {
        // Tried again soon.
        let _ = file.make_room(0);
    }
}

/// Writes one line. A full disk or a closed file is no reason to stop a batch, so that a failure is ignored.
fn write(line: &[u8]) {
    let _ = match &mut *lock() {
        Some(file) => file.write(line),
        None => std::io::stderr().write_all(line),
    };
}

fn lock() -> MutexGuard<'static, Option<LogFile>> {
    // No code between lock and unlock can leave it half changed.
    FILE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the value of a variable, or the default and why it holds. Whoever starts a manager has refused such a value before,
/// except a service that did not look.
fn variable<T: FromStr>(variable: OwnVariable, otherwise: T) -> (T, Option<OwnVariableError>) {
    match variable.read(env::var_os(variable.name)) {
        Ok(value) => (value.unwrap_or(otherwise), None),
        Err(refused) => (otherwise, Some(refused)),
    }
}
