//! Files that this user may not open, named with whose they are.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};
use rustix::io::Errno;

use super::judge::BESIDE;
use super::owner::about;

/// A file that this user may not open.
#[derive(Debug, thiserror::Error)]
#[error("{} is {about}", path.display())]
pub struct Denied {
    path: PathBuf,
    about: String,
}

impl Denied {
    /// Names a file, or the nearest directory above it that can be looked at.
    fn at(path: &Path) -> Option<Denied> {
        path.ancestors().find_map(|path| Some(Denied { path: path.to_owned(), about: about(path)? }))
    }
}

/// Adds to a refusal by the system whose the file is, and who may do what with it.
pub fn explain_denied(path: &Path, error: io::Error) -> io::Error {
    if error.kind() != io::ErrorKind::PermissionDenied || error.raw_os_error().is_none() {
        return error;
    }
    Denied::at(path).map_or(error, |denied| io::Error::new(io::ErrorKind::PermissionDenied, denied))
}

/// Returns which file of a database this user may not open: for reading, and then for writing.
pub fn denied_beside(db: &Path) -> Option<Denied> {
    let beside = BESIDE.iter().map(|ending| {
        let mut name = OsString::from(db);
        name.push(ending);
        PathBuf::from(name)
    });
    let files: Vec<PathBuf> = std::iter::once(db.to_owned()).chain(beside).collect();
    let refuses = |path: &Path, access| accessat(CWD, path, access, AtFlags::EACCESS) == Err(Errno::ACCESS);
    for access in [Access::READ_OK, Access::WRITE_OK] {
        if let Some(file) = files.iter().find(|file| refuses(file, access)) {
            return Denied::at(file);
        }
    }
    let dir = db.parent()?;
    if refuses(dir, Access::WRITE_OK | Access::EXEC_OK) { Denied::at(dir) } else { None }
}
