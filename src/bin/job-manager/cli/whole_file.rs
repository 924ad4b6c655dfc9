//! Files that are written whole or not at all: who reads one meanwhile sees the one before.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use job_manager::files::if_there;

/// Puts a text in the place of a file; its directory must be there. Whoever the umask lets may read it. A link stays, and the file that it
/// names is replaced. Until it is whole it has the file's name, the number of this process and `.new`, so that several processes may write
/// one file at once: each whole, the last one stays. What was left under that name is replaced, and no link is followed there.
///
/// # Errors
/// Where something else than a regular file has that name, such as a device; nothing was written then.
pub(super) fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let file = regular_file(file)?;
    let draft = draft_of(&file);
    if_there(fs::remove_file(&draft))?;
    let mut written = OpenOptions::new().write(true).create_new(true).open(&draft)?;
    written.write_all(text.as_bytes())?;
    written.sync_all()?;
    fs::rename(&draft, &file)
}

/// Returns the name under which a file is written until it is whole.
fn draft_of(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(format!(".{}.new", std::process::id()));
    name.into()
}

/// Returns the path of a file itself, where a link names it; one that is not there yet has its own.
fn regular_file(file: &Path) -> io::Result<PathBuf> {
    let Some(found) = if_there(fs::symlink_metadata(file))? else { return Ok(file.to_owned()) };
    let target = if found.is_symlink() { fs::canonicalize(file)? } else { file.to_owned() };
    match fs::metadata(&target)?.is_file() {
        true => Ok(target),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file, and only one is replaced")),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{FileTypeExt as _, symlink};

    use super::*;

    #[test]
    fn fault_530_a_link_stays_and_what_is_no_file_is_not_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("file"), "before").unwrap();
        fs::create_dir(at("dir")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        for (link, named) in [("link", "file"), ("of-dir", "dir"), ("of-socket", "socket"), ("of-nothing", "nothing")] {
            symlink(named, at(link)).unwrap();
        }

        write_whole(&at("link"), "after").unwrap();
        for other in ["dir", "socket", "of-dir", "of-socket", "of-nothing"] {
            assert!(write_whole(&at(other), "after").is_err(), "{other}");
        }

        assert!(fs::symlink_metadata(at("link")).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(at("file")).unwrap(), "after");
        assert!(fs::symlink_metadata(at("socket")).unwrap().file_type().is_socket());
        assert!(!at("nothing").exists());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 7, "nothing else is left");
    }

    #[test]
    fn a_file_whose_name_ends_as_a_draft_does_is_written_too_and_its_neighbours_stay() {
        let dir = tempfile::tempdir().unwrap();
        let [file, neighbour] = ["metrics.new", "metrics.new.new"].map(|name| dir.path().join(name));
        fs::write(&neighbour, "somebody else's").unwrap();

        write_whole(&file, "whole").unwrap();

        assert_eq!(fs::read_to_string(&file).unwrap(), "whole");
        assert_eq!(fs::read_to_string(&neighbour).unwrap(), "somebody else's");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "nothing else is left");
    }
}
