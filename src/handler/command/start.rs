//! Starting a process, and saying why it does not start.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::handler::interpreter::{is_script_of_shell, missing_interpreter};
use crate::handler::program::find_on_path;
use crate::sys::{SpawnError, UnitCommand, UnitProcess, is_no_program};

pub(super) const SHELL: &str = "/bin/sh";
/// Where programs are looked for when no `PATH` says that, as by the system's library.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// Starts a command; a script that names no interpreter is run by the shell, as every shell does.
///
/// The command has all variables that it is to get. A program without a path is looked for where they say.
pub(super) fn start(command: &mut UnitCommand, stdin: &File, captured: bool) -> Result<UnitProcess, SpawnError> {
    if !has_path(&command.program) {
        // A name that is nowhere is not what the directory of the unit has under it.
        let nowhere = || io::Error::from_raw_os_error(rustix::io::Errno::NOENT.raw_os_error());
        command.program = program_of(command).ok_or_else(nowhere)?;
    }
    let error = match UnitProcess::spawn(command, stdin, captured) {
        Err(SpawnError::NotStarted(error)) if is_no_program(&error) => error,
        started => return started,
    };
    match program_of(command).filter(|program| is_script_of_shell(program)) {
        Some(script) => UnitProcess::spawn(&through_shell(command, script), stdin, captured),
        None => Err(error.into()),
    }
}

/// Says why a command did not start, in the words of whoever has to mend that.
pub(super) fn why_not_started(command: &UnitCommand, error: &io::Error) -> String {
    if !command.cwd.is_dir() {
        return format!("its working directory {} is missing", command.cwd.display());
    }
    let missing = || missing_interpreter(&program_of(command)?, &command.cwd);
    if error.kind() == io::ErrorKind::NotFound
        && let Some(interpreter) = missing()
    {
        return format!("its interpreter {interpreter:?} is missing");
    }
    if is_no_program(error) {
        return format!("it is neither a script nor a program for this machine: {error}");
    }
    error.to_string()
}

fn through_shell(command: &UnitCommand, script: PathBuf) -> UnitCommand {
    let args = command.argv.iter().skip(1).cloned();
    let argv = [SHELL.into(), script.into_os_string()].into_iter().chain(args).collect();
    let mut shell = command.clone();
    (shell.program, shell.argv) = (SHELL.into(), argv);
    shell
}

fn has_path(program: &Path) -> bool {
    program.as_os_str().as_encoded_bytes().contains(&b'/')
}

/// Returns the file of the program, where the system finds it.
fn program_of(command: &UnitCommand) -> Option<PathBuf> {
    let own = command.get("PATH").map(OsStr::to_owned);
    let search_path = own.or_else(|| std::env::var_os("PATH")).unwrap_or_else(|| DEFAULT_PATH.into());
    find_on_path(command.program.as_os_str(), &command.cwd, &search_path)
}
