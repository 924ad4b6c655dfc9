//! What an attempt leaves at the path that its unit makes.
//!
//! A file that an attempt left there without success would pass for finished in the next job. It is removed, as make does;
//! a directory is renamed, never deleted. That holds for what is certainly the attempt's own: absent before, a regular file
//! or a directory, changed since the attempt began, made by no other unit. Whatever else is there stays untouched.
//!
//! That holds also where it makes the path under another name, as far as it wrote to the path all the same. That a path was
//! absent is noted before the command starts.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::attempt_end::{failed, retry};
use super::beside::{free_name, mark_of};
use super::note::{CHANGE_TIME_STEP_US, Note, clear_noted, look, micros_of_change, remove, say_whole};
use super::out::{Identity, OutError, discard, publish};
use crate::files::{How, KeptDir};
use crate::handler::Attempt;
use crate::model::{AttemptEnd, Cause, DatabaseFile, Postponement, RawText, UnitId, UnitOutcome};
use crate::sys::opening;

/// Ends the reason for which a unit is skipped that has nothing to make.
pub const IS_THERE_ALREADY: &str = "is there already";

/// An attempt under way whose unit makes a path.
pub(super) struct Making<'a> {
    path: PathBuf,
    /// Where it is made until it is whole, if that is another name.
    out: Option<PathBuf>,
    /// What was there before, which an earlier attempt has made.
    former: Option<Identity>,
    unit: UnitId,
    note: PathBuf,
    /// The note, while what is made under another name may have been made under its own.
    open_note: Option<File>,
    database: &'a DatabaseFile,
}

/// Returns what an attempt may replace at the path that its unit makes; or its end, where it does not start, because the unit has
/// nothing to make, or what is at the path is not its to replace.
///
/// A first attempt starts only where there is nothing. A later one that makes the path under another name starts also over what an
/// earlier attempt left; one that writes to the path itself has always gone on with what it finds.
pub(super) fn former(
    path: &Path,
    out: Option<&Path>,
    attempt: &Attempt<'_>,
) -> Result<Option<Identity>, Box<AttemptEnd>> {
    let Ok(found) = fs::symlink_metadata(path) else { return Ok(None) };
    let is_unfinished = || mark_of(path).is_some_and(|mark| mark.exists());
    let is_former = match attempt.unit.came_back {
        true => out.is_none() || is_of_attempts(attempt, micros_of_change(&found)),
        false => false,
    };
    if is_former || is_unfinished() {
        return Ok(Some(Identity::of(&found)));
    }
    let shown = path.display();
    if path.exists() {
        return Err(Box::new(UnitOutcome::Skipped { reason: format!("{shown} {IS_THERE_ALREADY}") }.into()));
    }
    // A command that writes to the path itself makes what the link leads to.
    if out.is_some() && found.is_symlink() {
        let why = "is a link that leads to nothing, and is not replaced: remove it, or make what it leads to";
        return Err(Box::new(failed(Cause::NotStarted, format!("{shown} {why}"))));
    }
    Ok(None)
}

/// Returns `true` if something has last changed while attempts at a unit ran that are over.
fn is_of_attempts(attempt: &Attempt<'_>, changed_us: i64) -> bool {
    attempt.control.attempts_span(attempt.unit.id).is_some_and(|(began, ended)| {
        (began.as_micros() - CHANGE_TIME_STEP_US..=ended.as_micros()).contains(&changed_us)
    })
}

impl<'a> Making<'a> {
    /// Notes what an attempt is about to make.
    pub fn begin(
        path: PathBuf,
        out: Option<PathBuf>,
        former: Option<Identity>,
        attempt: &Attempt<'a>,
        keep: bool,
        notes: &KeptDir,
    ) -> io::Result<Making<'a>> {
        let (unit, database) = (attempt.unit.id, &attempt.job.database);
        let note = attempt.job.files.making_in(attempt.slot);
        let mut making = Making { path, out, former, unit, note, open_note: None, database };
        making.leave_former()?;
        let _opening = opening();
        let is_absent = matches!(look(&making.path), Ok(None));
        if let Some(out) = making.out.as_ref().filter(|_| !keep) {
            // Of an attempt of the same number, which was not counted.
            discard(out)?;
        }
        // What is there already is not the attempt's own, or nobody can tell: nothing is noted, and it stays as it is.
        if is_absent || making.out.is_some() {
            let text = |path: &Path| RawText::from(OsString::from(path));
            let path = text(making.out.as_ref().unwrap_or(&making.path));
            let (database, own) = (making.database.to_text(), making.out.is_some());
            let named = (own && is_absent).then(|| text(&making.path));
            let note = Note { unit: unit.raw(), path, keep, database, own, named };
            let text = serde_json::to_vec(&note).expect("a note is made of numbers and text");
            let mut file = notes.file(attempt.slot.to_string(), How::Replace)?;
            file.write_all(&text)?;
            making.open_note = note.named.is_some().then_some(file);
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
            UnitOutcome::Skipped { reason } => {
                // What it made under another name goes; what is at the path is as it should be here, too.
                if let Err(error) = self.is_whole() {
                    return retry(Cause::Failed, error.to_string()).outcome;
                }
                UnitOutcome::Skipped { reason: self.cleared(reason) }
            }
        }
    }

    /// Gives what was made its name, and forgets the note, and that it was once unfinished.
    fn succeeded(&self) -> Result<(), OutError> {
        if let Some(out) = &self.out {
            // Before it has its name: from then on it is not to be taken for a half that the command wrote there.
            self.is_whole()?;
            let aside = || free_name(&self.path, self.unit).unwrap_or_else(|| self.path.clone());
            publish(out, &self.path, self.former, aside)?;
        }
        mark_of(&self.path).map_or(Ok(()), |mark| remove(&mark))?;
        Ok(remove(&self.note)?)
    }

    /// Notes that whatever is at the path is not cleared any more.
    fn is_whole(&self) -> io::Result<()> {
        self.open_note.as_ref().map_or(Ok(()), say_whole)
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
