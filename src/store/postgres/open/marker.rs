//! The file that stands for a database on a server: what this machine keeps about one lies beside it, as beside a file.
//!
//! `STATE/job-manager/<system identifier>-<database>`, where STATE is `$XDG_STATE_HOME` or `~/.local/state`, holds one
//! line, the address that worked last, without a password. The name says which database it is, whatever its address, and
//! is held against the server at every opening. A marker appears whole, by a rename, and remains the same file from then
//! on, because units are known by its number: another address is written over the line, under a lock. Its length is never
//! one that a database of SQLite may have, so that nothing of ours opens one by mistake.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::address::{Address, is_address};
use super::error::PostgresError;
use super::look::Found;
use super::percent::{bytes_of, percent};
use crate::files::{How, PrivateDir, create_given_dir, if_there, open_private};
use crate::model::{DatabaseFile, is_marker};
use crate::store::StoreError;
use crate::store::place::{database_file, files_error};

const DIRECTORY: &str = "job-manager";
/// Neither a dot, which begins the name of the directory beside it, nor what separates directories.
const PLAIN: &[u8] = b"_-";
/// Sizes of databases of SQLite are multiples of it.
const SMALLEST_PAGE: u64 = 512;

/// A marker, which may not be there yet.
#[derive(Debug)]
pub(super) struct Marker {
    path: PathBuf,
    system: String,
    database: String,
}

impl Marker {
    /// Returns the marker that a path names; none for what is, or may become, a file of SQLite.
    pub fn at(path: &Path) -> Option<Marker> {
        if !is_marker(path) {
            return None;
        }
        let path = fs::canonicalize(path).or_else(|_| std::path::absolute(path)).ok()?;
        let (system, database) = path.file_name()?.to_str()?.split_once('-')?;
        let database = String::from_utf8(bytes_of(database, PLAIN)?).ok()?;
        let system = system.to_owned();
        let is_ours =
            fs::metadata(&path).map_or(true, |found| found.is_file() && !found.len().is_multiple_of(SMALLEST_PAGE));
        is_ours.then_some(Marker { path, system, database })
    }

    /// Returns the marker of a database that was looked at, in the directory of this user's state.
    pub fn of(found: &Found, state: &Path) -> Result<Marker, StoreError> {
        let dir = &state.join(DIRECTORY);
        create_given_dir(dir).map_err(|source| files_error("create", dir, source))?;
        // What is opened in it has no link in its path.
        let dir = fs::canonicalize(dir).map_err(|source| files_error("find the canonical path of", dir, source))?;
        let name = format!("{}-{}", found.system, percent(found.database.as_bytes(), PLAIN));
        Ok(Marker { path: dir.join(name), system: found.system.clone(), database: found.database.clone() })
    }

    /// Returns the address in it.
    pub fn read(&self) -> Result<PathBuf, StoreError> {
        let Some(line) = self.held()? else { return Err(StoreError::NoDatabase { path: self.path.clone() }) };
        let text = PathBuf::from(OsString::from_vec(line));
        let is_read = is_address(&text);
        is_read.then_some(text).ok_or_else(|| PostgresError::NoAddress { marker: self.path.clone() }.into())
    }

    /// Refuses a server or a database that is not the one of this name.
    pub fn refuse_other_database(&self, address: &Address, found: &Found) -> Result<(), PostgresError> {
        if (&self.system, &self.database) == (&found.system, &found.database) {
            return Ok(());
        }
        let identity = format!("{}-{}", found.system, found.database);
        Err(PostgresError::OtherDatabase { marker: self.path.clone(), database: address.name(), found: identity })
    }

    /// Has it hold that address, and returns which file it is.
    pub fn keep(&self, address: &Address) -> Result<DatabaseFile, StoreError> {
        let line = address.line();
        match self.held()? {
            Some(held) if held == line.as_bytes() => {}
            Some(_) => self.write_over(&line)?,
            None if self.make(&line)? => {}
            // Another process was faster, perhaps with another address.
            None => self.write_over(&line)?,
        }
        database_file(&self.path).map_err(self.failed("look at"))
    }

    /// Makes it; `false` if it is there by now.
    fn make(&self, line: &str) -> Result<bool, StoreError> {
        let make = || -> io::Result<bool> {
            let (Some(dir), Some(name)) = (self.path.parent(), self.path.file_name()) else { return Ok(false) };
            let dir = PrivateDir::open(dir)?;
            let unfinished = format!("new.{}", Uuid::now_v7().simple());
            let file = dir.file(&unfinished, How::Write)?;
            file.write_all_at(&content(line, 0), 0)?;
            file.sync_all()?;
            dir.rename_to_new(Path::new(&unfinished), name)
        };
        make().map_err(self.failed("create"))
    }

    fn write_over(&self, line: &str) -> Result<(), StoreError> {
        let write = || -> io::Result<()> {
            let file = open_private(&self.path, How::Write)?;
            file.lock()?;
            // One write, of which a reader sees all or nothing under the lock.
            file.write_all_at(&content(line, file.metadata()?.len()), 0)?;
            file.sync_all()
        };
        write().map_err(self.failed("write"))
    }

    /// Returns the line in it, if it is there; the lock goes with the file.
    fn held(&self) -> Result<Option<Vec<u8>>, StoreError> {
        let read = || -> io::Result<Option<Vec<u8>>> {
            let Some(mut file) = if_there(open_private(&self.path, How::Read))? else { return Ok(None) };
            file.lock_shared()?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            bytes.truncate(bytes.iter().position(|&byte| byte == b'\n').unwrap_or(0));
            Ok(Some(bytes))
        };
        read().map_err(self.failed("read"))
    }

    fn failed(&self, operation: &'static str) -> impl Fn(io::Error) -> StoreError {
        move |source| files_error(operation, &self.path, source)
    }
}

/// Returns what a marker holds: the line, and empty ones over whatever stood there.
fn content(line: &str, former: u64) -> Vec<u8> {
    let mut length = (line.len() as u64 + 1).max(former);
    if length.is_multiple_of(SMALLEST_PAGE) {
        length += 1;
    }
    let mut bytes = line.as_bytes().to_vec();
    bytes.resize(usize::try_from(length).unwrap_or(bytes.len() + 1), b'\n');
    bytes
}

/// Returns the directory of this user's state.
pub(super) fn state_dir() -> Result<PathBuf, PostgresError> {
    state_dir_of(std::env::var_os("XDG_STATE_HOME"), std::env::home_dir()).ok_or(PostgresError::NoStateDirectory)
}

/// A relative `XDG_STATE_HOME` counts as none, as its specification says.
fn state_dir_of(given: Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    let given = given.map(PathBuf::from).filter(|dir| dir.is_absolute());
    given.or_else(|| Some(home.filter(|home| home.is_absolute())?.join(".local/state")))
}

#[cfg(test)]
mod tests;
