//! What an attempt is given beside its command and its input: what became of the one before, and how to say that it lives.
//!
//! The database is the truth of what became of the attempt before. What a command reads of it is a copy in a file of the
//! worker's slot, which is made at the start of each attempt and gone with its end; a death of the manager leaves one that the
//! slot's next attempt replaces, and that is removed when nothing runs any more.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::files::{How, KeptDir, PrivateDir};
use crate::handler::Attempt;
use crate::model::{ALIVE_VARIABLE, AttemptRecord};
use crate::sys::{LifeSign, UnitCommand, opening};

/// Bytes of an error in the environment, which has limits of its own.
const ERROR_BYTES: usize = 4096;
const LAST_ERROR: &str = "JOB_MANAGER_LAST_ERROR";
const LAST_OUTPUT_FILE: &str = "JOB_MANAGER_LAST_OUTPUT_FILE";
const RESULT_FILE: &str = "JOB_MANAGER_RESULT_FILE";
/// What one attempt is given and no other.
pub(super) const OF_ATTEMPTS: [&str; 4] = [ALIVE_VARIABLE, LAST_ERROR, LAST_OUTPUT_FILE, RESULT_FILE];

/// The files of one attempt; those with content are removed with it.
pub(super) struct Given<'d> {
    pub life: Option<LifeSign>,
    dir: &'d KeptDir,
    slot: usize,
    made: Vec<PathBuf>,
}

impl<'d> Given<'d> {
    /// Makes the files, and tells the commands of the attempt of them.
    pub fn to(commands: &mut [&mut UnitCommand], attempt: &Attempt<'_>, dir: &'d KeptDir) -> io::Result<Given<'d>> {
        let mut given = Given { life: None, dir, slot: attempt.slot, made: Vec::new() };
        if attempt.limits.idle_timeout.is_some() {
            let path = given.path("alive");
            let _opening = opening();
            PrivateDir::create(dir.path())?;
            given.life = Some(LifeSign::listen(&path)?);
            commands.iter_mut().for_each(|command| command.set(ALIVE_VARIABLE, &path));
        }
        // Nothing is asked for a unit that has never begun.
        if attempt.unit.came_back
            && let Some(last) = attempt.control.last_attempt(attempt.unit.id)
        {
            given.tell(commands, &last)?;
        }
        Ok(given)
    }

    fn tell(&mut self, commands: &mut [&mut UnitCommand], last: &AttemptRecord) -> io::Result<()> {
        let error = last.error.replace('\0', "\u{FFFD}");
        let error = &error[..error.floor_char_boundary(ERROR_BYTES)];
        commands.iter_mut().for_each(|command| command.set(LAST_ERROR, error));
        if let Some(output) = &last.output.stdout {
            let path = self.write("last", |file| file.write_all(output.as_bytes()))?;
            commands.iter_mut().for_each(|command| command.set(LAST_OUTPUT_FILE, &path));
        }
        Ok(())
    }

    /// Has a check find the output of the command in a file, which `write` writes.
    pub fn show_result<E: From<io::Error>>(
        &mut self,
        check: &mut UnitCommand,
        write: impl FnOnce(&mut std::fs::File) -> Result<(), E>,
    ) -> Result<(), E> {
        let path = self.write("result", write)?;
        check.set(RESULT_FILE, path);
        Ok(())
    }

    fn write<E: From<io::Error>>(
        &mut self,
        what: &str,
        write: impl FnOnce(&mut std::fs::File) -> Result<(), E>,
    ) -> Result<PathBuf, E> {
        let path = self.path(what);
        let name = path.file_name().unwrap_or_default();
        let mut file = {
            let _opening = opening();
            self.dir.file(Path::new(name), How::Replace)?
        };
        self.made.push(path.clone());
        write(&mut file)?;
        Ok(path)
    }

    fn path(&self, what: &str) -> PathBuf {
        self.dir.path().join(format!("{}.{what}", self.slot))
    }
}

impl Drop for Given<'_> {
    fn drop(&mut self) {
        // One that stays is replaced by the slot's next attempt.
        self.made.iter().for_each(|path| drop(std::fs::remove_file(path)));
    }
}
