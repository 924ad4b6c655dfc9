//! What a walk cannot read: it is counted, and the first is named.

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustix::io::Errno;

use crate::model::counted;
use crate::source::{Counter, Notes};

/// The paths that cannot be read.
pub(super) struct Unreadable {
    count: Counter,
    first: Arc<OnceLock<String>>,
}

impl Unreadable {
    /// Starts to count; `notes` says the number at the end.
    pub fn said_in(notes: &Notes) -> Unreadable {
        let first: Arc<OnceLock<String>> = Arc::default();
        let example = Arc::clone(&first);
        let count = notes.count(move |number| {
            let example = example.get().map_or("", String::as_str);
            format!(
                "skipped {} that cannot be read: {example}{}",
                counted(number, "path"),
                if number > 1 { ", …" } else { "" }
            )
        });
        Unreadable { count, first }
    }

    /// Counts a path.
    pub fn add(&self, path: &[u8], error: &io::Error) {
        let path = path.strip_suffix(b"/").unwrap_or(path);
        self.first.get_or_init(|| format!("{}: {error}", as_path(path).display()));
        self.count.increase();
    }
}

/// Returns `true` where a path has no file at its end for other reasons than trouble: a link that leads nowhere, or
/// something in place of a directory.
pub(super) fn leads_nowhere(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
        || error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}

/// Returns bytes as a path.
pub(super) fn as_path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}
