//! Directories of ours, held open, and the files in them.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, RenameFlags, ResolveFlags, mkdirat, openat, openat2, renameat, renameat_with, unlinkat,
};
use rustix::io::Errno;

use super::denied::explain_denied;
use super::judge::{Flaw, Kind, Planted, judge, kind_of};
use super::owner::own_user;
use crate::model::StateDir;

const TO_GIVE: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// To be read; it must be there.
    Read,
    /// To be read and written; made if there is none.
    Write,
    /// To be added to; made if there is none.
    Append,
    /// To be written again; made if there is none.
    Replace,
}

impl How {
    /// None of them waits for anybody, whatever was put there.
    fn flags(self) -> OFlags {
        let of = match self {
            Self::Read => OFlags::RDONLY | OFlags::NONBLOCK,
            Self::Write | Self::Replace => OFlags::RDWR,
            Self::Append => OFlags::RDWR | OFlags::APPEND,
        };
        of | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOCTTY
    }
}

/// A directory, held open: what is opened through it is in it, whatever becomes of its name.
#[derive(Debug)]
pub struct PrivateDir {
    dir: File,
    path: PathBuf,
    owner: u32,
    /// Whether it is one of ours, in which the owner of the directory may own files.
    is_ours: bool,
}

impl PrivateDir {
    /// Opens a directory of ours; there is no link in its path.
    pub fn open(path: &Path) -> io::Result<PrivateDir> {
        let dir = File::from(open_dir(path)?);
        let found = dir.metadata()?;
        judge(|| path.to_owned(), &found, Kind::Directory, None)?;
        Ok(PrivateDir { dir, path: path.to_owned(), owner: found.uid(), is_ours: true })
    }

    /// Opens a directory of ours, which is made if there is none, with those above it up to that beside the database.
    pub fn create(path: &Path) -> io::Result<PrivateDir> {
        match Self::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened,
        }
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let is_outermost = StateDir::is_one(path);
        let parent = if is_outermost { Self::given(parent)? } else { Self::create(parent)? };
        match mkdirat(&parent.dir, name, Mode::RWXU) {
            Err(error) if error != Errno::EXIST => return Err(explained(path, error)),
            // One made by root beside a database of somebody else is for whoever owns the database.
            Ok(()) if own_user() == 0 => {
                let owner = if is_outermost { StateDir::database_around(path) } else { Some(parent.path.clone()) };
                if let Some(owner) = owner.and_then(|owner| fs::symlink_metadata(owner).ok()) {
                    let made = openat(&parent.dir, name, TO_GIVE, Mode::empty());
                    give(&File::from(made.map_err(|error| explained(path, error))?), owner.uid());
                }
            }
            _ => {}
        }
        Self::open(path)
    }

    /// Opens a directory of the user's choice, which may be a link and may be open to others.
    fn given(path: &Path) -> io::Result<PrivateDir> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let dir = openat(CWD, path, flags, Mode::empty()).map_err(|error| explained(path, error))?;
        let dir = File::from(dir);
        let owner = dir.metadata()?.uid();
        Ok(PrivateDir { dir, path: path.to_owned(), owner, is_ours: false })
    }

    /// Opens a file in it.
    pub fn file(&self, name: impl AsRef<Path>, how: How) -> io::Result<File> {
        let name = name.as_ref();
        loop {
            match openat(&self.dir, name, how.flags(), Mode::empty()) {
                Ok(file) => return self.judged(name, file.into(), how),
                Err(Errno::NOENT) if how != How::Read => {}
                Err(error) => return Err(self.refused(name, error)),
            }
            match self.make(name, how) {
                // Somebody made it in this moment.
                Err(Errno::EXIST) => {}
                made => return made.map_err(|error| self.refused(name, error)),
            }
        }
    }

    /// Makes a file that has no name any more, whatever stands there.
    pub fn nameless_file(&self, name: &str) -> io::Result<File> {
        self.remove(name)?;
        let file = self.make(Path::new(name), How::Write).map_err(|error| self.refused(Path::new(name), error))?;
        self.remove(name)?;
        Ok(file)
    }

    /// Gives a file in it another name, under which nothing else remains.
    pub fn rename(&self, name: &str, new_name: &str) -> io::Result<()> {
        renameat(&self.dir, name, &self.dir, new_name).map_err(|error| explained(&self.path.join(new_name), error))
    }

    /// Renames a file in it to a name that is free. When somebody has taken the name, removes the file and returns `false`.
    pub fn rename_to_new(&self, name: &Path, new_name: &OsStr) -> io::Result<bool> {
        match renameat_with(&self.dir, name, &self.dir, new_name, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => self.remove(name).map(|()| false),
            Err(error) => Err(explained(&self.path.join(new_name), error)),
        }
    }

    /// Takes a file out of it, if there is one.
    pub fn remove(&self, name: impl AsRef<Path>) -> io::Result<()> {
        let name = name.as_ref();
        match unlinkat(&self.dir, name, AtFlags::empty()) {
            Err(Errno::NOENT) | Ok(()) => Ok(()),
            Err(error) => Err(explained(&self.path.join(name), error)),
        }
    }

    /// Deletes a directory in it with all that is in that, if there is one.
    pub fn remove_dir_all(&self, name: &Path) -> io::Result<()> {
        // By the open directory, whatever its name leads to by now; where there is no `/proc`, by that.
        let open = PathBuf::from(format!("/proc/self/fd/{}", self.dir.as_raw_fd()));
        let dir = if open.exists() { &open } else { &self.path };
        match fs::remove_dir_all(dir.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(explain_denied(&self.path.join(name), error)),
            _ => Ok(()),
        }
    }

    fn make(&self, name: &Path, how: How) -> Result<File, Errno> {
        let flags = how.flags() | OFlags::CREATE | OFlags::EXCL;
        let file = File::from(openat(&self.dir, name, flags, Mode::RUSR | Mode::WUSR)?);
        if self.is_ours && self.owner != 0 && own_user() == 0 {
            give(&file, self.owner);
        }
        Ok(file)
    }

    fn judged(&self, name: &Path, file: File, how: How) -> io::Result<File> {
        let found = file.metadata()?;
        let owner = self.is_ours.then_some(self.owner);
        judge(|| self.path.join(name), &found, Kind::File, owner)?;
        if how == How::Replace && found.len() > 0 {
            file.set_len(0)?;
        }
        Ok(file)
    }

    fn refused(&self, name: &Path, error: Errno) -> io::Error {
        explained(&self.path.join(name), error)
    }
}

/// Gives what root has made to whoever is to use it; where that cannot be done, root is left with it.
fn give(file: &File, owner: u32) {
    let _ = fchown(file, Some(owner), None);
}

/// Opens a directory in whose path no name is a link.
fn open_dir(path: &Path) -> io::Result<OwnedFd> {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        // Older kernels do not know it, and some sandboxes forbid it.
        Err(Errno::NOSYS | Errno::PERM) => {}
        opened => return opened.map_err(|error| explained(path, error)),
    }
    if path.is_absolute() && fs::canonicalize(path)? != path {
        return Err(explained(path, Errno::LOOP));
    }
    openat(CWD, path, flags, Mode::empty()).map_err(|error| explained(path, error))
}

/// Says what stands in the way.
fn explained(path: &Path, error: Errno) -> io::Error {
    match error {
        Errno::LOOP | Errno::NOTDIR | Errno::NXIO | Errno::ISDIR => planted_at(path).unwrap_or_else(|| error.into()),
        _ => explain_denied(path, error.into()),
    }
}

/// Returns what is in the way on the way to a file.
fn planted_at(path: &Path) -> Option<io::Error> {
    let mut found = None;
    for above in path.ancestors().filter(|path| !path.as_os_str().is_empty()) {
        if let Ok(about) = fs::symlink_metadata(above) {
            let is_last = above == path;
            if !about.is_dir() || is_last {
                let wanted = if is_last && !about.is_dir() { "a file or directory" } else { "a directory" };
                let flaw = Flaw::Kind { found: kind_of(&about), wanted };
                found = Some(Planted { path: above.to_owned(), flaw });
            }
        }
    }
    found.map(io::Error::from)
}

/// Creates a directory of ours, and those above it up to that beside the database; one that is there is looked at.
pub fn create_private_dir(dir: &Path) -> io::Result<()> {
    PrivateDir::create(dir).map(drop)
}

/// Creates a directory of the user's choice, and those above it, for this user only; one that is there stays as it is.
pub fn create_given_dir(dir: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Deletes a directory in a directory of ours, with all that is in it, if there is one.
pub fn remove_private_dir(path: &Path) -> io::Result<()> {
    match if_there(PrivateDir::open(path.parent().unwrap_or(Path::new("."))))? {
        Some(dir) => dir.remove_dir_all(name_of(path)?),
        None => Ok(()),
    }
}

/// Returns what was done with a file, or nothing where there is none.
pub fn if_there<T>(done: io::Result<T>) -> io::Result<Option<T>> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        done => done.map(Some),
    }
}

/// Opens a file of ours in a directory of ours, which must be there.
pub fn open_private(path: &Path, how: How) -> io::Result<File> {
    PrivateDir::open(path.parent().unwrap_or(Path::new(".")))?.file(name_of(path)?, how)
}

/// Opens a file of ours in a directory of the user's choice.
pub fn open_given(path: &Path, how: How) -> io::Result<File> {
    PrivateDir::given(path.parent().unwrap_or(Path::new(".")))?.file(name_of(path)?, how)
}

fn name_of(path: &Path) -> io::Result<&Path> {
    path.file_name().map(Path::new).ok_or_else(|| io::ErrorKind::InvalidInput.into())
}
