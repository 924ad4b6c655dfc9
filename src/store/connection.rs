//! What every connection is made with.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

/// How long a statement waits for another process's transaction before it gives up.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Writes a path so that it passes through a `file:` URI unharmed, whatever bytes it has.
pub(super) fn percent_encoded(path: &Path) -> String {
    path.as_os_str().as_bytes().iter().fold(String::new(), |mut text, &byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => text.push(char::from(byte)),
            _ => write!(text, "%{byte:02X}").expect("writing to a string cannot fail"),
        }
        text
    })
}
