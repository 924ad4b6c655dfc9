//! Finding the program of a command before anything is created.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, CWD, accessat};

use super::interpreter::missing_interpreter;

/// A command whose program cannot be run.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProgramError {
    /// There is no name to look for.
    #[error("the command's first word is empty")]
    Empty,
    /// There is no such file, or none of that name on the search path.
    #[error("command not found: {0}")]
    NotFound(String),
    /// There is none whose name has blanks: it looks like a whole command line in one word.
    #[error("command not found: {0:?} is one word with blanks, did you mean a script, or separate words?")]
    OneWord(String),
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
    if name.is_empty() {
        return Err(ProgramError::Empty);
    }
    let program = match find_on_path(name, cwd, search_path) {
        Some(program) if fs::metadata(&program).is_ok_and(|found| is_program(&program, &found)) => program,
        Some(unfit) => return Err(ProgramError::NotExecutable(unfit)),
        None => return Err(not_found(name)),
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
            Ok(found) if is_program(&path, &found) && !name.is_empty() => return Some(path),
            Ok(found) if found.is_file() => unfit = unfit.or(Some(path)),
            Ok(_) | Err(_) => {}
        }
    }
    unfit
}

fn not_found(name: &OsStr) -> ProgramError {
    let name = name.to_string_lossy().into_owned();
    if name.contains(char::is_whitespace) { ProgramError::OneWord(name) } else { ProgramError::NotFound(name) }
}

/// Refuses a word with placeholders that looks like a whole command line, such as `convert {} {/.}.png`: what stands
/// before the first placeholder has a blank, and no program's name begins so.
pub fn refuse_line_in_one_word(word: &[u8], cwd: &Path, search_path: &OsStr) -> Result<(), ProgramError> {
    let before = word.split(|byte| *byte == b'{').next().unwrap_or_default();
    if !before.iter().any(u8::is_ascii_whitespace) {
        return Ok(());
    }
    let before = Path::new(OsStr::from_bytes(before));
    let dirs: Vec<PathBuf> = if before.as_os_str().as_bytes().contains(&b'/') {
        before.parent().map(|dir| cwd.join(dir)).into_iter().collect()
    } else {
        std::env::split_paths(search_path).map(|dir| cwd.join(dir)).collect()
    };
    let beginning = before.file_name().unwrap_or_default().as_bytes();
    let begins = |entry: fs::DirEntry| entry.file_name().as_bytes().starts_with(beginning);
    let is_there = dirs.iter().filter_map(|dir| fs::read_dir(dir).ok()).flatten().flatten().any(begins);
    if is_there { Ok(()) } else { Err(ProgramError::OneWord(String::from_utf8_lossy(word).into_owned())) }
}

/// Says whether a file is one that this user may execute.
fn is_program(path: &Path, found: &fs::Metadata) -> bool {
    found.is_file() && accessat(CWD, path, Access::EXEC_OK, AtFlags::EACCESS).is_ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_bare_name_is_found_on_the_search_path() {
        let path = resolve_program("sh".as_ref(), Path::new("/"), OsStr::new("/nowhere:/bin"));

        assert_eq!(path, Ok(PathBuf::from("/bin/sh")));
    }

    #[test]
    fn a_command_line_in_one_word_is_told_from_a_program_whose_name_has_blanks() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("my tool 7"), "").unwrap();
        let path = dir.path().as_os_str();
        let one_word = |word: &str| Err(ProgramError::OneWord(word.to_owned()));

        assert_eq!(
            resolve_program(OsStr::new("echo hi"), dir.path(), path),
            one_word("echo hi").map(|()| PathBuf::new())
        );
        for word in ["convert {} b", "./convert {}", "echo {}"] {
            assert_eq!(refuse_line_in_one_word(word.as_bytes(), dir.path(), path), one_word(word), "{word}");
        }
        for word in ["my tool {}", "./my tool {}", "{} b", "tool{} b"] {
            assert_eq!(refuse_line_in_one_word(word.as_bytes(), dir.path(), path), Ok(()), "{word}");
        }
    }

    #[test]
    fn a_missing_program_and_one_without_permission_differ() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("data"), "x").unwrap();

        let missing = resolve_program("./nothing".as_ref(), dir.path(), OsStr::new(""));
        let unfit = resolve_program("./data".as_ref(), dir.path(), OsStr::new(""));

        assert_eq!(missing, Err(ProgramError::NotFound("./nothing".to_owned())));
        assert_eq!(unfit, Err(ProgramError::NotExecutable(dir.path().join("./data"))));
        assert_eq!(resolve_program("".as_ref(), dir.path(), OsStr::new("/bin")), Err(ProgramError::Empty));
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
