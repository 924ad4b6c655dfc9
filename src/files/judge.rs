//! What a file of ours has to be.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use super::owner::{own_user, user_name};
use crate::model::StateDir;

/// Something that stands where a file of ours belongs, and is not taken for it.
#[derive(Debug, thiserror::Error)]
#[error("{} {flaw}", path.display())]
pub struct Planted {
    /// Where it stands.
    pub path: PathBuf,
    /// What is wrong with it.
    pub flaw: Flaw,
}

/// Why something is not taken for a file of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Flaw {
    /// It is something else, such as a link to the file of somebody.
    #[error("is {found}, not {wanted} of this database: remove it")]
    Kind {
        /// What it is.
        found: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// Somebody else has made it.
    #[error("belongs to {}, not to {}: remove it, or `chown` it if you know where it is from", user_name(*owner), user_name(*expected))]
    Owner {
        /// Whose it is.
        owner: u32,
        /// Whose it should be.
        expected: u32,
    },
    /// Others can write to it.
    #[error("can be written to by others (mode {mode:04o}): look at what is in it, then `chmod go-w` it")]
    Mode {
        /// Its mode.
        mode: u32,
    },
    /// It has a second name, perhaps as the file of somebody.
    #[error("has {names} names (hard links): remove this one")]
    Names {
        /// How many.
        names: u64,
    },
}

impl From<Planted> for io::Error {
    fn from(planted: Planted) -> io::Error {
        io::Error::new(io::ErrorKind::PermissionDenied, planted)
    }
}

/// What something is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Directory,
    File,
}

impl Kind {
    fn in_words(self) -> &'static str {
        match self {
            Self::Directory => "a directory",
            Self::File => "a file",
        }
    }
}

/// Refuses what is no file or directory of ours; `owner` is one more user whose it may be.
///
/// Its path is asked for only when it matters.
pub(super) fn judge(
    path: impl Fn() -> PathBuf,
    found: &Metadata,
    kind: Kind,
    owner: Option<u32>,
) -> Result<(), Planted> {
    match flaw_of(&path, found, kind, owner) {
        Some(flaw) => Err(Planted { path: path(), flaw }),
        None => Ok(()),
    }
}

fn flaw_of(path: impl Fn() -> PathBuf, found: &Metadata, kind: Kind, owner: Option<u32>) -> Option<Flaw> {
    let is_kind = if kind == Kind::File { found.is_file() } else { found.is_dir() };
    if !is_kind {
        return Some(Flaw::Kind { found: kind_of(found), wanted: kind.in_words() });
    }
    if let Some(expected) = stranger(path, found.uid(), owner) {
        return Some(Flaw::Owner { owner: found.uid(), expected });
    }
    if found.mode() & 0o022 != 0 {
        return Some(Flaw::Mode { mode: found.mode() & 0o7777 });
    }
    (kind == Kind::File && found.nlink() > 1).then(|| Flaw::Names { names: found.nlink() })
}

/// Returns whose a file should be that belongs to neither this user, nor root, nor the owner of its database.
fn stranger(path: impl Fn() -> PathBuf, found: u32, owner: Option<u32>) -> Option<u32> {
    let own = own_user();
    if found == own || found == 0 || Some(found) == owner {
        return None;
    }
    // Looked up only for files of others: who reads, or is root, may be let into their database.
    let owner = owner.or_else(|| fs::symlink_metadata(StateDir::database_around(&path())?).ok().map(|db| db.uid()));
    (Some(found) != owner).then(|| owner.unwrap_or(own))
}

pub(super) fn kind_of(found: &Metadata) -> &'static str {
    match found.file_type() {
        kind if kind.is_symlink() => "a link",
        kind if kind.is_dir() => "a directory",
        kind if kind.is_file() => "a file",
        kind if kind.is_fifo() => "a pipe",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    }
}

/// Refuses a directory of ours that is planted; one that is missing, or cannot be looked at, is none.
fn refuse_planted_dir(path: &Path, owner: u32) -> Result<(), Planted> {
    fs::symlink_metadata(path).map_or(Ok(()), |found| judge(|| path.to_owned(), &found, Kind::Directory, Some(owner)))
}

/// Refuses a file that is planted; one that is missing, or cannot be looked at, is none.
///
/// Who may write to it is not asked: that it is so is the database's own mode.
pub fn refuse_planted(path: &Path, owner: u32) -> Result<(), Planted> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(()) };
    match flaw_of(|| path.to_owned(), &found, Kind::File, Some(owner)) {
        None | Some(Flaw::Mode { .. }) => Ok(()),
        Some(flaw) => Err(Planted { path: path.to_owned(), flaw }),
    }
}

/// Endings of the names of the files that SQLite keeps beside a database.
pub(super) const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Refuses a database beside which somebody else has put what SQLite or we would take for ours.
pub fn refuse_planted_beside(db: &Path, owner: u32) -> Result<(), Planted> {
    let db_bytes = db.as_os_str().as_bytes();
    let mut name = Vec::with_capacity(db_bytes.len() + BESIDE[2].len());
    for ending in BESIDE {
        name.clear();
        name.extend_from_slice(db_bytes);
        name.extend_from_slice(ending.as_bytes());
        refuse_planted(Path::new(OsStr::from_bytes(&name)), owner)?;
    }
    refuse_planted_dir(StateDir::beside(db).path(), owner)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn fault_193_only_a_plain_file_with_one_name_that_nobody_else_writes_to_is_ours() {
        let dir = tempfile::tempdir().unwrap();
        let flaw = |name: &str, kind| {
            let path = dir.path().join(name);
            flaw_of(|| path.clone(), &fs::symlink_metadata(&path).unwrap(), kind, None)
        };
        fs::write(dir.path().join("own"), "").unwrap();
        symlink("own", dir.path().join("link")).unwrap();
        nix::unistd::mkfifo(&dir.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(flaw("own", Kind::File), None);

        assert_eq!(flaw("own", Kind::Directory), Some(Flaw::Kind { found: "a file", wanted: "a directory" }));
        assert_eq!(flaw("link", Kind::File), Some(Flaw::Kind { found: "a link", wanted: "a file" }));
        assert_eq!(flaw("pipe", Kind::File), Some(Flaw::Kind { found: "a pipe", wanted: "a file" }));
        fs::set_permissions(dir.path().join("own"), fs::Permissions::from_mode(0o660)).unwrap();
        assert_eq!(flaw("own", Kind::File), Some(Flaw::Mode { mode: 0o660 }));
        fs::set_permissions(dir.path().join("own"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::hard_link(dir.path().join("own"), dir.path().join("second")).unwrap();
        assert_eq!(flaw("own", Kind::File), Some(Flaw::Names { names: 2 }));
    }
}
