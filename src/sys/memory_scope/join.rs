//! The first program of an attempt with a limit of memory: it moves itself into the group and becomes the command.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sys::own_program::own_executable;

/// First argument of a process that is to become a command in a group; the number is the version of this contract.
const VERB: &str = "__job-manager-in-group-v1";
/// What shells answer where a command is there and cannot be started.
const NOT_STARTED: i32 = 126;

/// Returns the program and the words by which a command is started in a group.
pub fn joining(processes: &Path, program: &Path, argv: &[OsString]) -> (PathBuf, Vec<OsString>) {
    let own = ["job-manager".into(), VERB.into(), processes.into(), program.into()];
    (own_executable(), own.into_iter().chain(argv.iter().cloned()).collect())
}

/// Becomes the command, where this process was started for that; its arguments are those without the name.
pub fn join_if_asked(args: &[OsString]) {
    let [verb, processes, program, name, rest @ ..] = args else { return };
    if verb != OsStr::new(VERB) {
        return;
    }
    let error = match fs::File::options().write(true).open(processes).and_then(|mut file| file.write_all(b"0")) {
        Ok(()) => Command::new(program).arg0(name).args(rest).exec(),
        Err(error) => error,
    };
    // Standard error is that of the unit, and may be closed.
    let _ = writeln!(std::io::stderr(), "cannot start {}: {error}", Path::new(program).display());
    std::process::exit(NOT_STARTED);
}
