//! Starting a process, and saying why it does not start.

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::handler::interpreter::{is_script_of_shell, missing_interpreter};
use crate::handler::program::find_on_path;
use crate::sys::{SpawnError, UnitProcess, is_no_program};

pub(super) const SHELL: &str = "/bin/sh";

/// Starts a command; a script that names no interpreter is run by the shell, as every shell does.
///
/// The command has all variables that it is to get.
pub(super) fn start(command: &mut Command, stdin: &File, captured: bool) -> Result<UnitProcess, SpawnError> {
    let error = match UnitProcess::spawn(command, stdin, captured) {
        Err(SpawnError::NotStarted(error)) if is_no_program(&error) => error,
        started => return started,
    };
    match program_of(command).filter(|program| is_script_of_shell(program)) {
        Some(script) => UnitProcess::spawn(&mut through_shell(command, &script), stdin, captured),
        None => Err(error.into()),
    }
}

/// Says why a command did not start, in the words of whoever has to mend that.
pub(super) fn why_not_started(command: &Command, error: &io::Error) -> String {
    let cwd = command.get_current_dir().unwrap_or(Path::new("/"));
    if !cwd.is_dir() {
        return format!("its working directory {} is missing", cwd.display());
    }
    let missing = || missing_interpreter(&program_of(command)?, cwd);
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

fn through_shell(command: &Command, script: &Path) -> Command {
    let mut shell = Command::new(SHELL);
    shell.arg(script).args(command.get_args());
    if let Some(cwd) = command.get_current_dir() {
        shell.current_dir(cwd);
    }
    shell.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell
}

/// Returns the file of the program, where the system finds it.
fn program_of(command: &Command) -> Option<PathBuf> {
    let own = command.get_envs().find_map(|(name, value)| if name == "PATH" { value } else { None });
    let search_path = own.map(OsStr::to_owned).or_else(|| std::env::var_os("PATH")).unwrap_or_default();
    find_on_path(command.get_program(), command.get_current_dir()?, &search_path)
}
