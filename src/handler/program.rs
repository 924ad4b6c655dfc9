//! Finding the program of a command before anything is created.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::interpreter::missing_interpreter;

/// A command whose program cannot be run.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProgramError {
    /// There is no such file, or none of that name on the search path.
    #[error("command not found: {0}")]
    NotFound(String),
    /// It is there and cannot be executed.
    #[error("{} cannot be executed (not a file with execute permission)", .0.display())]
    NotExecutable(PathBuf),
    /// What the program names as its interpreter is not there.
    #[error("{} cannot be executed: its interpreter {interpreter:?} is missing", program.display())]
    InterpreterMissing {
        /// The program.
        program: PathBuf,
        /// The interpreter.
        interpreter: PathBuf,
    },
}

/// Returns the absolute path of a program, looked up as a shell would: a name with a slash from `cwd`, another one on
/// `search_path`.
pub fn resolve_program(name: &OsStr, cwd: &Path, search_path: &OsStr) -> Result<PathBuf, ProgramError> {
    let program = match find_on_path(name, cwd, search_path) {
        Some(program) if fs::metadata(&program).is_ok_and(|found| is_program(&found)) => program,
        Some(unfit) => return Err(ProgramError::NotExecutable(unfit)),
        None => return Err(ProgramError::NotFound(name.to_string_lossy().into_owned())),
    };
    match missing_interpreter(&program, cwd) {
        Some(interpreter) => Err(ProgramError::InterpreterMissing { program, interpreter }),
        None => Ok(program),
    }
}

/// Returns the file that a name stands for; one that cannot be executed if there is no other.
pub(super) fn find_on_path(name: &OsStr, cwd: &Path, search_path: &OsStr) -> Option<PathBuf> {
    if name.as_encoded_bytes().contains(&b'/') {
        return Some(cwd.join(name)).filter(|path| path.exists());
    }
    let mut unfit = None;
    for dir in std::env::split_paths(search_path) {
        let path = cwd.join(dir).join(name);
        match fs::metadata(&path) {
            Ok(found) if is_program(&found) && !name.is_empty() => return Some(path),
            Ok(found) if found.is_file() => unfit = unfit.or(Some(path)),
            Ok(_) | Err(_) => {}
        }
    }
    unfit
}

fn is_program(found: &fs::Metadata) -> bool {
    found.is_file() && found.permissions().mode() & 0o111 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_is_found_on_the_search_path() {
        let path = resolve_program("sh".as_ref(), Path::new("/"), OsStr::new("/nowhere:/bin"));

        assert_eq!(path, Ok(PathBuf::from("/bin/sh")));
    }

    #[test]
    fn a_missing_program_and_one_without_permission_differ() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("data"), "x").unwrap();

        let missing = resolve_program("./nothing".as_ref(), dir.path(), OsStr::new(""));
        let unfit = resolve_program("./data".as_ref(), dir.path(), OsStr::new(""));

        assert_eq!(missing, Err(ProgramError::NotFound("./nothing".to_owned())));
        assert_eq!(unfit, Err(ProgramError::NotExecutable(dir.path().join("./data"))));
    }

    #[test]
    fn a_program_whose_interpreter_is_missing_is_refused_by_the_name_of_that() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("script");
        fs::write(&path, "#!/usr/bin/nothing-of-that-name\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();

        let refused = resolve_program("./script".as_ref(), dir.path(), OsStr::new("")).unwrap_err();

        let interpreter = "its interpreter \"/usr/bin/nothing-of-that-name\" is missing";
        assert!(refused.to_string().ends_with(interpreter), "{refused}");
    }
}
