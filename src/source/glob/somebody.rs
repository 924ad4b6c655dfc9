//! Tests as a user who may not read everything: for root no directory is closed.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::without::without_tool;

const NOBODY: &str = "65534";

/// Returns `true` if this process has, or can become, somebody for whom directories are closed; says so otherwise.
pub(super) fn is_there() -> bool {
    let is_there = !is_root() || runs("setpriv");
    if !is_there {
        without_tool("setpriv");
    }
    is_there
}

/// Returns `true` if a program can be run.
pub(super) fn runs(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Returns a command that runs a program as somebody.
pub(super) fn command(program: impl AsRef<OsStr>) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--"]).arg(program);
    command
}

/// Runs one test of this executable as somebody, with a variable that is a path in `dir`.
pub(super) fn test(name: &str, dir: &Path, variable: (&str, &Path)) -> Output {
    // Somebody may not be let into the directory where it lies.
    let program = dir.join("this-test");
    assert!(Command::new("cp").arg(std::env::current_exe().unwrap()).arg(&program).status().unwrap().success());
    let name = format!("{}::{name}", module_path!().split_once("::").unwrap().1.rsplit_once("::").unwrap().0);
    let mut test = command(&program);
    test.args(["--exact", &name, "--nocapture"]).env(variable.0, variable.1).current_dir(dir).output().unwrap()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}
