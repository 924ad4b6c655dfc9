//! Finding the program of a command before anything is created.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

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
}

/// Returns the absolute path of a program, looked up as a shell would: a name with a slash from `cwd`, another one on
/// `search_path`.
pub fn resolve_program(name: &OsStr, cwd: &Path, search_path: &OsStr) -> Result<PathBuf, ProgramError> {
    if name.as_encoded_bytes().contains(&b'/') {
        let path = cwd.join(name);
        return match fs::metadata(&path) {
            Ok(found) if is_program(&found) => Ok(path),
            Ok(_) => Err(ProgramError::NotExecutable(path)),
            Err(_) => Err(not_found(name)),
        };
    }
    let mut unfit = None;
    for dir in std::env::split_paths(search_path) {
        let path = cwd.join(dir).join(name);
        match fs::metadata(&path) {
            Ok(found) if is_program(&found) && !name.is_empty() => return Ok(path),
            Ok(found) if found.is_file() => unfit = unfit.or(Some(path)),
            Ok(_) | Err(_) => {}
        }
    }
    Err(unfit.map_or_else(|| not_found(name), ProgramError::NotExecutable))
}

fn not_found(name: &OsStr) -> ProgramError {
    ProgramError::NotFound(name.to_string_lossy().into_owned())
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
}
