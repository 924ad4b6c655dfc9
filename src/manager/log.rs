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
use crate::model::{JobFiles, LogFormat};
use crate::sys;

/// Least severe events that are written: `error`, `warn`, `info`, `debug` or `trace`.
const LEVEL_VARIABLE: &str = "JOB_MANAGER_LOG";
/// Most bytes of one of the two files.
const BYTES_VARIABLE: &str = "JOB_MANAGER_LOG_BYTES";
const DEFAULT_BYTES: NonZeroU64 = NonZeroU64::new(8 << 20).expect("it is above zero");

/// The file, once this process is the one that bounds it.
static FILE: Mutex<Option<LogFile>> = Mutex::new(None);

/// Has the events of this process written, unless it has a subscriber already.
pub(super) fn install() {
    let (level, level_refused) = variable(LEVEL_VARIABLE, LevelFilter::INFO);
    let (format, format_refused) = variable(LogFormat::VARIABLE, LogFormat::default());
    // It fails where the program has one of its own, which stays.
    let _ = tracing::subscriber::set_global_default(LogSubscriber::new(level, format, write));
    [level_refused, format_refused].iter().flatten().for_each(|refused| warn!("{refused}"));
}

/// Bounds the log from here on; for the one that holds the job's lock.
pub(super) fn bound(files: &JobFiles) {
    let (bytes, refused) = variable(BYTES_VARIABLE, DEFAULT_BYTES);
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

/// Returns what a variable says, or what holds in its stead, and why it does.
fn variable<T: FromStr>(name: &str, otherwise: T) -> (T, Option<String>) {
    let Some(given) = env::var_os(name).filter(|given| !given.is_empty()) else { return (otherwise, None) };
    match given.to_str().and_then(|given| given.parse().ok()) {
        Some(value) => (value, None),
        None => (otherwise, Some(format!("{name} is {given:?}, which is not understood"))),
    }
}
