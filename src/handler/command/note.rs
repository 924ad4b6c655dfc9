//! What is noted while an attempt makes a path, and what follows from it when the attempt has ended without success.
//!
//! The note stands in a file of the worker's slot, so that it holds after the death of a manager too. It is not durable: after
//! a power cut what is left at the path stays. A note that cannot be read or obeyed stays, and is tried again by the slot's
//! next attempt and by the next manager.

use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::beside::{free_name, mark_of};
use super::out::discard;
use crate::files::{How, if_there, open_given, open_private};
use crate::model::{DatabaseFile, JobFiles, RawText, Timestamp, UnitId};
use crate::store::{Access, Store, StoreError};
use crate::sys::{is_another, opening};

/// Finest step of change times on the file systems that have the coarsest.
pub(super) const CHANGE_TIME_STEP_US: i64 = 2_000_000;
/// Ends a note from the moment at which what was made is whole: what is at the path is not cleared from then on.
const WHOLE: u8 = b'\n';

/// What is noted while an attempt makes a path that was absent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Note {
    pub unit: i64,
    pub path: RawText,
    /// Whether what an attempt leaves is for the next one to go on with.
    pub keep: bool,
    /// The database of the job; not in notes of older versions.
    #[serde(default)]
    pub database: String,
    /// Whether the path is a name that only this attempt has.
    #[serde(default)]
    pub own: bool,
    /// What that is to become, if nothing was there: a command may make it under that name all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub named: Option<RawText>,
}

/// Clears what attempts of a manager that died have left, once their processes have ended; returns what was done. What
/// is made in slots that are `held` is left, and what the units of a database make of which this one is a copy is theirs.
pub fn clear_partial(files: &JobFiles, database: &DatabaseFile, held: &[usize]) -> io::Result<Vec<String>> {
    let Some(entries) = if_there(fs::read_dir(files.making()))? else { return Ok(Vec::new()) };
    let mut done = Vec::new();
    for entry in entries {
        let entry = entry?;
        let slot = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if !slot.is_some_and(|slot| held.contains(&slot)) {
            let note = entry.path();
            done.extend(clear_noted(&note, database).unwrap_or_else(|error| {
                Some(format!("could not clear what {} tells of, which stays: {error}", note.display()))
            }));
        }
    }
    Ok(done)
}

/// Does what a note says, removes it, and returns what was done. A note that was not written whole belongs to an attempt
/// that never started; one that cannot be read, or obeyed, stays.
pub(super) fn clear_noted(path: &Path, database: &DatabaseFile) -> Result<Option<String>, ClearError> {
    let _opening = opening();
    let Some(mut file) = if_there(open_private(path, How::Read))? else { return Ok(None) };
    let began = Timestamp::from_micros(micros(&file.metadata()?));
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    let done = match serde_json::from_slice::<Note>(&text) {
        Ok(note) => note.clear(began, database, text.last() == Some(&WHOLE))?,
        Err(_) => None,
    };
    // One that stays says nothing once the path is absent.
    let _ = remove(path);
    Ok(done)
}

/// Says in the note of an attempt that what it made is whole.
pub(super) fn say_whole(mut note: &File) -> io::Result<()> {
    note.write_all(&[WHOLE])
}

impl Note {
    fn clear(&self, began: Timestamp, database: &DatabaseFile, is_whole: bool) -> Result<Option<String>, ClearError> {
        let theirs = DatabaseFile::from_text(&self.database);
        if theirs.is_some_and(|theirs| is_another(&theirs, database, Path::new("/"))) {
            return Ok(None);
        }
        let path = Path::new(self.path.as_os_str());
        if !self.own {
            return self.clear_left(path, began, &database.path);
        }
        if !self.keep {
            // Nobody was to see it, so that there is nothing to be said of it either.
            discard(path)?;
        }
        match self.named.as_ref().filter(|_| !is_whole) {
            Some(named) => self.clear_left(Path::new(named.as_os_str()), began, &database.path),
            None => Ok(None),
        }
    }

    /// Clears what an attempt left at a path where nothing was when it began, if that is certainly its own.
    fn clear_left(&self, path: &Path, began: Timestamp, db: &Path) -> Result<Option<String>, ClearError> {
        let Some(found) = look(path)? else { return Ok(None) };
        let unit = UnitId::from_raw(self.unit);
        let is_own = micros_of_change(&found) + CHANGE_TIME_STEP_US >= began.as_micros();
        if !is_own || !(found.is_dir() || found.is_file() && found.nlink() == 1) {
            return Ok(None);
        }
        if Store::open(db, Access::Read)?.is_of_another(path, unit, began)? {
            return Ok(None);
        }
        let shown = path.display();
        let Some(mark) = mark_of(path) else { return Ok(None) };
        if self.keep {
            let text = format!("unfinished: unit {} of job {} in {}\n", unit.seq(), unit.job(), db.display());
            open_given(&mark, How::Replace)?.write_all(text.as_bytes())?;
            return Ok(Some(format!("kept {shown}, which is unfinished")));
        }
        // It was looked up by name a moment ago.
        if look(path)?.is_none_or(|now| (now.dev(), now.ino()) != (found.dev(), found.ino())) {
            return Ok(None);
        }
        remove(&mark)?;
        if found.is_file() {
            fs::remove_file(path)?;
            return Ok(Some(format!("removed {shown}, which was unfinished")));
        }
        let Some(aside) = free_name(path, unit) else { return Ok(None) };
        fs::rename(path, &aside)?;
        Ok(Some(format!("renamed {shown}, which was unfinished, to {}", aside.display())))
    }
}

/// Why what an attempt left stays where it is.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClearError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(super) fn look(path: &Path) -> io::Result<Option<Metadata>> {
    if_there(fs::symlink_metadata(path))
}

pub(super) fn remove(path: &Path) -> io::Result<()> {
    if_there(fs::remove_file(path)).map(drop)
}

fn micros(of: &Metadata) -> i64 {
    of.mtime() * 1_000_000 + of.mtime_nsec() / 1000
}

pub(super) fn micros_of_change(of: &Metadata) -> i64 {
    of.ctime() * 1_000_000 + of.ctime_nsec() / 1000
}
