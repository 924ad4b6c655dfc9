//! What an attempt leaves at the path that its unit makes.
//!
//! A file that an attempt left there without success would pass for finished in the next job. It is removed, as make does;
//! a directory is renamed, never deleted. That holds for what is certainly the attempt's own: absent before, a regular file
//! or a directory, changed since the attempt began, made by no other unit. Whatever else is there stays untouched.
//!
//! That a path was absent is noted in a file of the worker's slot before the command starts, so that it holds after the
//! death of a manager too. The note is not durable: after a power cut what is left at the path stays. A note that cannot be
//! read or obeyed stays, and is tried again by the slot's next attempt and by the next manager.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::attempt_end::{failed, retry};
use super::out::{OutError, discard, publish};
use crate::files::{How, KeptDir, if_there, open_given, open_private};
use crate::handler::Attempt;
use crate::model::{Cause, DatabaseFile, JobFiles, Postponement, RawText, Timestamp, UnitId, UnitOutcome};
use crate::store::{Access, Store, StoreError};
use crate::sys::{is_another, opening};

/// Finest step of change times on the file systems that have the coarsest.
const CHANGE_TIME_STEP_US: i64 = 2_000_000;

/// What is noted while an attempt makes a path that was absent.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    unit: i64,
    path: RawText,
    /// Whether what an attempt leaves is for the next one to go on with.
    keep: bool,
    /// The database of the job; not in notes of older versions.
    #[serde(default)]
    database: String,
    /// Whether the path is a name that only this attempt has.
    #[serde(default)]
    own: bool,
}

/// An attempt under way whose unit makes a path.
pub(super) struct Making<'a> {
    path: PathBuf,
    /// Where it is made until it is whole, if that is another name.
    out: Option<PathBuf>,
    /// Whether something was there before, which an earlier attempt may have made.
    replaces: bool,
    unit: UnitId,
    note: PathBuf,
    database: &'a DatabaseFile,
}

/// Returns `true` if a unit that makes this path has nothing to do: it is there, and not marked as unfinished.
pub(super) fn is_made(path: &Path) -> bool {
    path.exists() && !mark_of(path).is_some_and(|mark| mark.exists())
}

impl<'a> Making<'a> {
    /// Notes what an attempt is about to make.
    pub fn begin(
        path: PathBuf,
        out: Option<PathBuf>,
        attempt: &Attempt<'a>,
        keep: bool,
        notes: &KeptDir,
    ) -> io::Result<Making<'a>> {
        let (unit, database) = (attempt.unit.id, &attempt.job.database);
        let note = attempt.job.files.making_in(attempt.slot);
        let mut making = Making { path, out, replaces: false, unit, note, database };
        making.leave_former()?;
        let _opening = opening();
        let is_absent = matches!(look(&making.path), Ok(None));
        making.replaces = !is_absent;
        if let Some(out) = making.out.as_ref().filter(|_| !keep) {
            // Of an attempt of the same number, which was not counted.
            discard(out)?;
        }
        // What is there already is not the attempt's own, or nobody can tell: nothing is noted, and it stays as it is.
        if is_absent || making.out.is_some() {
            let path = RawText::from(OsString::from(making.out.as_ref().unwrap_or(&making.path)));
            let (database, own) = (making.database.to_text(), making.out.is_some());
            let note = Note { unit: unit.raw(), path, keep, database, own };
            let text = serde_json::to_vec(&note).expect("a note is made of numbers and text");
            notes.file(attempt.slot.to_string(), How::Replace)?.write_all(&text)?;
        }
        Ok(making)
    }

    /// Does what the note of an earlier attempt says that could not be settled; where it still cannot, the next manager is
    /// to try it.
    fn leave_former(&self) -> io::Result<()> {
        if look(&self.note)?.is_none() {
            return Ok(());
        }
        if clear_noted(&self.note, self.database).is_err() {
            let names = (1..).map(|number| self.note.with_extension(format!("left-{number}")));
            let mut free = names.filter(|name| fs::symlink_metadata(name).is_err());
            fs::rename(&self.note, free.next().expect("there are more names than notes"))?;
        }
        Ok(())
    }

    /// Settles what an attempt made, or left without success; the latter is said with its error.
    pub fn settle(self, outcome: UnitOutcome) -> UnitOutcome {
        match outcome {
            UnitOutcome::Completed { .. } => match self.succeeded() {
                Ok(()) => outcome,
                // What is whole stays, whatever is said of it.
                Err(error @ OutError::Unsettled(_)) => retry(Cause::Failed, error.to_string()).outcome,
                Err(error @ OutError::Taken(_)) => failed(Cause::Failed, self.cleared(error.to_string())).outcome,
                Err(error) => retry(Cause::Failed, self.cleared(error.to_string())).outcome,
            },
            UnitOutcome::Retry { cause, error, delay } => {
                UnitOutcome::Retry { cause, error: self.cleared(error), delay }
            }
            UnitOutcome::Failed { cause, error } => UnitOutcome::Failed { cause, error: self.cleared(error) },
            UnitOutcome::Cancelled { reason } => UnitOutcome::Cancelled { reason: self.cleared(reason) },
            UnitOutcome::PauseJob { delay, reason } => UnitOutcome::PauseJob { delay, reason: self.cleared(reason) },
            UnitOutcome::Later(later) => {
                let reason = self.cleared(later.reason);
                UnitOutcome::Later(Postponement { reason, ..later })
            }
            UnitOutcome::Interrupted | UnitOutcome::NotStarted { .. } => {
                drop(self.cleared(String::new()));
                outcome
            }
            // It says that there was nothing to do: what is there is as it should be.
            UnitOutcome::Skipped { reason } if self.out.is_none() => {
                forget(Some(self));
                UnitOutcome::Skipped { reason }
            }
            UnitOutcome::Skipped { reason } => UnitOutcome::Skipped { reason: self.cleared(reason) },
        }
    }

    /// Gives what was made its name, and forgets the note, and that it was once unfinished.
    fn succeeded(&self) -> Result<(), OutError> {
        if let Some(out) = &self.out {
            let aside = || mark_of(&self.path).map_or_else(|| self.path.clone(), |mark| free_name(&mark, self.unit));
            publish(out, &self.path, self.replaces, aside)?;
        }
        mark_of(&self.path).map_or(Ok(()), |mark| remove(&mark))?;
        Ok(remove(&self.note)?)
    }

    /// Clears what an attempt has left, and adds to its error what was done.
    fn cleared(self, error: String) -> String {
        match clear_noted(&self.note, self.database) {
            Ok(Some(done)) => format!("{error}; {done}"),
            Ok(None) => error,
            Err(why) => format!("{error}; could not clear what it left: {why}"),
        }
    }
}

/// Forgets the note of an attempt that left nothing to be cleared.
pub(super) fn forget(making: Option<Making<'_>>) {
    if let Some(making) = making {
        // One that stays says nothing: the path is absent, or older than the note.
        let _ = remove(&making.note);
    }
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
fn clear_noted(path: &Path, database: &DatabaseFile) -> Result<Option<String>, ClearError> {
    let _opening = opening();
    let Some(mut file) = if_there(open_private(path, How::Read))? else { return Ok(None) };
    let began = Timestamp::from_micros(micros(&file.metadata()?));
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    let done = match serde_json::from_slice::<Note>(&text) {
        Ok(note) => note.clear(began, database)?,
        Err(_) => None,
    };
    // One that stays says nothing once the path is absent.
    let _ = remove(path);
    Ok(done)
}

impl Note {
    fn clear(&self, began: Timestamp, database: &DatabaseFile) -> Result<Option<String>, ClearError> {
        let theirs = DatabaseFile::from_text(&self.database);
        if theirs.is_some_and(|theirs| is_another(&theirs, database, Path::new("/"))) {
            return Ok(None);
        }
        let db = &database.path;
        let path = Path::new(self.path.as_os_str());
        if self.own {
            // Nobody was to see it, so that there is nothing to be said of it either.
            return if self.keep { Ok(None) } else { Ok(discard(path).map(|_| None)?) };
        }
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
        let aside = free_name(&mark, unit);
        fs::rename(path, &aside)?;
        Ok(Some(format!("renamed {shown}, which was unfinished, to {}", aside.display())))
    }
}

/// Why what an attempt left stays where it is.
#[derive(Debug, thiserror::Error)]
enum ClearError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Returns the file beside a path that says that the path is unfinished.
fn mark_of(path: &Path) -> Option<PathBuf> {
    let mut name = OsString::from(".");
    name.push(path.file_name()?);
    name.push(".partial");
    Some(path.with_file_name(name))
}

/// Returns a name for a directory of a unit that no other one has.
fn free_name(mark: &Path, unit: UnitId) -> PathBuf {
    let named = |suffix: String| {
        let mut name = OsString::from(mark);
        name.push(suffix);
        PathBuf::from(name)
    };
    let first = format!("-{}-{}", unit.job(), unit.seq());
    let later = (2..).map(|number| format!("{first}-{number}"));
    let mut names = std::iter::once(first.clone()).chain(later).map(named);
    names.find(|name| fs::symlink_metadata(name).is_err()).expect("there are more names than directories")
}

fn look(path: &Path) -> io::Result<Option<Metadata>> {
    if_there(fs::symlink_metadata(path))
}

fn remove(path: &Path) -> io::Result<()> {
    if_there(fs::remove_file(path)).map(drop)
}

fn micros(of: &Metadata) -> i64 {
    of.mtime() * 1_000_000 + of.mtime_nsec() / 1000
}

fn micros_of_change(of: &Metadata) -> i64 {
    of.ctime() * 1_000_000 + of.ctime_nsec() / 1000
}
