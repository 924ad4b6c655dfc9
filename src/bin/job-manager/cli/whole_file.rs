//! Files that are written whole or not at all: who reads one meanwhile sees the one before.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use job_manager::files::if_there;

/// Puts a text in the place of a file; its directory must be there. Whoever the umask lets may read it. Until it is whole it has the
/// file's name with `new` as extension; what was left there is replaced, and no link is followed.
pub(super) fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let draft = file.with_extension("new");
    if_there(fs::remove_file(&draft))?;
    let mut written = OpenOptions::new().write(true).create_new(true).open(&draft)?;
    written.write_all(text.as_bytes())?;
    written.sync_all()?;
    fs::rename(&draft, file)
}
