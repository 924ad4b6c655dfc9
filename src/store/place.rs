//! What stands at the path of a database, looked at before anything is opened, made or changed there.
//!
//! A missing directory may be a disk that is not mounted, and a device or a pipe would be written to or waited for:
//! neither is touched. Links are followed, because locks and logs lie beside the file itself, under whichever name it
//! is opened: two names must not give one job two managers. Where that cannot be seen to, the name is refused.

use std::fs::{self, FileType};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, StatxAttributes, StatxFlags, mknodat, statx};
use rustix::io::Errno;

use super::StoreError;
use crate::files;
use crate::model::DatabaseFile;

/// Where a database lies by its canonical path, and whether there is a file yet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub path: PathBuf,
    pub exists: bool,
}

/// Looks at the path of a database; changes nothing.
pub(super) fn place_of(given: &Path) -> Result<Place, StoreError> {
    check_file(given)?;
    let path = std::path::absolute(given).map_err(|source| files_error("find the absolute path of", given, source))?;
    let found = match fs::symlink_metadata(&path) {
        Ok(found) if found.is_symlink() => return place_behind_link(path),
        Ok(found) => found,
        Err(error) if is_missing(&error) => return missing(path),
        Err(source) => return Err(files_error("look for", &path, source)),
    };
    if let Some(reason) = refusal(found.file_type()) {
        return Err(StoreError::NotOurs { path, reason });
    }
    let path = canonical(&path)?;
    refuse_devices(&path)?;
    if is_mounted_alone(&path) { Err(StoreError::MountedAlone { path }) } else { Ok(Place { path, exists: true }) }
}

/// Refuses what names no database: an empty text, a URL, SQLite's name for memory. Nothing is looked at, opened or made; every
/// opening begins with it.
///
/// ```
/// use job_manager::client::check_path;
///
/// assert!(check_path("jobs.db".as_ref()).is_ok());
/// assert!(check_path("mysql://host/jobs".as_ref()).is_err());
/// ```
///
/// The URL of a PostgreSQL database (`postgres://…`) names one where the feature `postgres` is compiled in.
///
/// # Errors
/// [`StoreError::EmptyPath`] and [`StoreError::NoPath`].
pub fn check_path(given: &Path) -> Result<(), StoreError> {
    #[cfg(feature = "postgres")]
    if super::postgres::is_address(given) {
        return Ok(());
    }
    check_file(given)
}

/// Refuses what cannot be the path of a file of SQLite.
pub(super) fn check_file(given: &Path) -> Result<(), StoreError> {
    if given.as_os_str().is_empty() {
        return Err(StoreError::EmptyPath);
    }
    no_path(given).map_or(Ok(()), |begin| Err(StoreError::NoPath { begin }))
}

/// Returns the beginning of a name that is a URL, or SQLite's name for memory, instead of a path.
fn no_path(given: &Path) -> Option<String> {
    let given = given.to_string_lossy();
    let first = given.split('/').next().unwrap_or_default();
    let word = first.split_once('=').map(|(word, _)| word.trim());
    if let Some(word) = word.filter(|word| CONNECTION_WORDS.contains(&&*word.to_ascii_lowercase())) {
        return Some(format!("{word}="));
    }
    let (begin, rest) = given.split_once(':')?;
    let is_scheme = begin.starts_with(|first: char| first.is_ascii_alphabetic())
        && begin.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte));
    let is_url = is_scheme && (rest.starts_with('/') || SCHEMES.contains(&&*begin.to_ascii_lowercase()));
    // A name and a password before a host.
    let is_login = first.split_once(':').is_some_and(|(_, password)| password.contains('@'));
    let is_memory = begin.is_empty() && rest == "memory:";
    if is_memory { Some(":memory:".to_owned()) } else { (is_url || is_login).then(|| format!("{begin}:")) }
}

/// Schemes of databases that may stand without a slash behind their colon.
const SCHEMES: [&str; 10] =
    ["file", "sqlite", "sqlite3", "postgres", "postgresql", "pg", "mysql", "mariadb", "jdbc", "odbc"];
/// Words that begin a connection string: of libpq, and of others.
const CONNECTION_WORDS: [&str; 22] = [
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "passfile",
    "service",
    "servicefile",
    "options",
    "connect_timeout",
    "application_name",
    "client_encoding",
    "sslmode",
    "sslcert",
    "sslkey",
    "sslrootcert",
    "target_session_attrs",
    "server",
    "database",
    "data source",
    "driver",
];

fn canonical(path: &Path) -> Result<PathBuf, StoreError> {
    fs::canonicalize(path).map_err(|source| files_error("find the canonical path of", path, source))
}

/// Returns `true` for a file that is mounted by itself, as containers can; a kernel that cannot tell is believed.
fn is_mounted_alone(path: &Path) -> bool {
    statx(CWD, path, AtFlags::empty(), StatxFlags::empty())
        .is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// The file at a canonical path, as it was before SQLite opened it.
#[derive(Debug)]
pub(super) struct Found {
    file: DatabaseFile,
    owner: u32,
    names: u64,
    is_file: bool,
}

impl Found {
    /// Looks at the file without opening it.
    pub fn at(path: &Path) -> Result<Found, StoreError> {
        let found = fs::symlink_metadata(path).map_err(|source| files_error("look at", path, source))?;
        let file = DatabaseFile { path: path.to_owned(), device: found.dev(), inode: found.ino() };
        Ok(Found { file, owner: found.uid(), names: found.nlink(), is_file: found.is_file() })
    }

    /// Refuses a file with a second hard link: SQLite would keep a log for each name.
    pub fn refuse_second_name(&self) -> Result<(), StoreError> {
        match self.names {
            names @ 2.. => Err(StoreError::SeveralNames { path: self.file.path.clone(), names }),
            _ => Ok(()),
        }
    }

    /// Refuses to read a file with a second hard link under a name that has no log beside it: what is in the log of the
    /// other name would be missing.
    pub fn refuse_name_without_log(&self) -> Result<(), StoreError> {
        let mut log = self.file.path.as_os_str().to_owned();
        log.push("-wal");
        if self.names < 2 || Path::new(&log).exists() { Ok(()) } else { self.refuse_second_name() }
    }

    /// Refuses a database beside which somebody else has put what would be taken for its log, or for ours.
    pub fn refuse_planted(&self) -> Result<(), StoreError> {
        Ok(files::refuse_planted_beside(&self.file.path, self.owner)?)
    }

    /// Looks again, once SQLite has opened the file: in a directory in which others can write, another one may have been
    /// put there meanwhile.
    pub fn refuse_replaced(&self) -> Result<(), StoreError> {
        let now = Self::at(&self.file.path)?;
        // The number of a file that is gone is given to another one.
        if !now.file.is_same_file(&self.file) || now.owner != self.owner || !now.is_file {
            return Err(StoreError::Moved { path: self.file.path.clone() });
        }
        let dir = self.file.path.parent().and_then(|dir| fs::symlink_metadata(dir).ok());
        if dir.is_some_and(|dir| dir.mode() & 0o022 != 0 || ![0, files::own_user()].contains(&dir.uid())) {
            self.refuse_planted()?;
        }
        Ok(())
    }

    pub fn path(&self) -> &Path {
        &self.file.path
    }

    pub fn file(&self) -> &DatabaseFile {
        &self.file
    }
}

/// Returns which file lies at a canonical path, without opening it.
pub(super) fn database_file(path: &Path) -> io::Result<DatabaseFile> {
    let found = fs::symlink_metadata(path)?;
    Ok(DatabaseFile { path: path.to_owned(), device: found.dev(), inode: found.ino() })
}

/// Makes an empty file for its owner only, for SQLite to open: nothing but SQLite ever opens a database.
pub(super) fn make_file(path: &Path) -> Result<(), StoreError> {
    match mknodat(CWD, path, rustix::fs::FileType::RegularFile, Mode::RUSR | Mode::WUSR, 0) {
        // Another process was faster; whose it is, is judged as of any other.
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(files_error("create", path, error.into())),
    }
}

fn place_behind_link(link: PathBuf) -> Result<Place, StoreError> {
    match fs::canonicalize(&link) {
        Ok(target) => place_of(&target),
        Err(error) if is_missing(&error) => {
            let target = fs::read_link(&link).map_err(|source| files_error("read the link", &link, source))?;
            let reason = format!("it is a link to {}, which does not exist", target.display());
            Err(StoreError::NotOurs { path: link, reason })
        }
        Err(source) => Err(files_error("follow the link", &link, source)),
    }
}

/// There may be a database in a directory that exists.
fn missing(path: PathBuf) -> Result<Place, StoreError> {
    if path.as_os_str().as_bytes().ends_with(b"/") {
        return Err(StoreError::NotOurs { path, reason: NAME_A_FILE.to_owned() });
    }
    match (path.parent(), path.file_name()) {
        (Some(dir), Some(name)) if dir.is_dir() => {
            let path = canonical(dir)?.join(name);
            refuse_devices(&path)?;
            Ok(Place { path, exists: false })
        }
        (dir, _) => Err(StoreError::NoDirectory { dir: dir.unwrap_or(&path).to_owned(), path }),
    }
}

/// Refuses a place among the devices, where nothing is kept; the shared memory beside them is a directory like others.
fn refuse_devices(path: &Path) -> Result<(), StoreError> {
    if !path.starts_with("/dev") || path.starts_with("/dev/shm") {
        return Ok(());
    }
    let reason = "it lies among the devices: name a file on a disk".to_owned();
    Err(StoreError::NotOurs { path: path.to_owned(), reason })
}

const NAME_A_FILE: &str = "it is a directory: name a file in it, e.g. jobs.db";

pub(super) fn files_error(operation: &'static str, path: &Path, source: io::Error) -> StoreError {
    let source = files::explain_denied(path, source);
    StoreError::Files { operation, path: path.to_owned(), source }
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Returns why something is no file that a database can be.
fn refusal(kind: FileType) -> Option<String> {
    let is = |kind: &str| Some(format!("it is a {kind}"));
    match kind {
        kind if kind.is_file() => None,
        kind if kind.is_dir() => Some(NAME_A_FILE.to_owned()),
        kind if kind.is_char_device() || kind.is_block_device() => is("device"),
        kind if kind.is_fifo() => is("pipe"),
        kind if kind.is_socket() => is("socket"),
        _ => is("special file"),
    }
}

#[cfg(test)]
mod tests;
