//! Files that are written whole or not at all: who reads one meanwhile sees the one before.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use job_manager::files::{How, open_given};

/// Puts a text in the place of a file; its directory must be there. Until it is whole it has the file's name with `new` as extension.
pub(super) fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let draft = file.with_extension("new");
    let mut written = open_given(&draft, How::Replace)?;
    written.write_all(text.as_bytes())?;
    written.sync_all()?;
    fs::rename(&draft, file)
}
