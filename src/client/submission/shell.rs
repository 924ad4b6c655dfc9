//! A shell that runs scripts instead of /bin/sh.
//!
//! Whether it can is tried before anything is created: values are quoted as a POSIX shell reads them, and one that reads
//! quotes in another way (fish, csh) would run something else than was asked.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::shell_fault::ShellFault;
use super::{SubmissionError, find_program};
use crate::handler::{CommandSpec, UnitTemplates, UnitValues};
use crate::model::Seq;

/// Time in which a shell must have run a script of one line.
const RUN_TIMEOUT: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// An exit code that a program has no reason to end with by itself.
const CODE: i32 = 73;
/// Variable that holds what a quoted value must be read back as.
const EXPECTED: &str = "JOB_MANAGER_EXPECTED";
const NASTY: &str = "a  b\\c\\\\d\\n'e\"f$HOME`g`!h;*~#%s\ni\t{} é-";

/// What a shell is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scripts {
    /// A script with values in it, quoted.
    WithValues,
    /// Scripts as they are, after `--`.
    Whole,
}

/// Finds a shell as a program is found, and tries it.
///
/// # Errors
/// When it is not found or cannot be executed, and when it does not run a script after `-c` as a POSIX shell does.
pub fn find_shell(name: impl AsRef<OsStr>, cwd: &Path, scripts: Scripts) -> Result<PathBuf, SubmissionError> {
    let name = name.as_ref();
    if name.is_empty() {
        return Err(SubmissionError::NotAShell { path: "\"\"".into(), reason: ShellFault::Empty });
    }
    let path = match find_program(name, cwd) {
        Err(_) if name.to_string_lossy().contains(char::is_whitespace) => {
            return Err(SubmissionError::NotAShell { path: name.into(), reason: ShellFault::Options });
        }
        found => found?,
    };
    let refused = |reason| Err(SubmissionError::NotAShell { path: path.clone(), reason });
    let exit = format!("exit {CODE}");
    let takes_scripts = match scripts {
        Scripts::Whole => runs(&path, cwd, &["-c", "--", &exit]),
        Scripts::WithValues => runs(&path, cwd, &["-c", &exit]),
    };
    if !takes_scripts {
        return refused(ShellFault::RunsNoScript);
    }
    if scripts == Scripts::WithValues && !runs(&path, cwd, &["-c", &comparison()?]) {
        return refused(ShellFault::QuotesOtherwise);
    }
    Ok(path)
}

/// Returns a script that ends with the code when values arrive in it as they are.
fn comparison() -> Result<String, SubmissionError> {
    let script = format!("test {{}} = \"${EXPECTED}\" && test \"{{}}\" = \"${EXPECTED}\" && exit {CODE}");
    let payload = serde_json::Value::from(NASTY).to_string();
    let mut spec = CommandSpec::new([script], PathBuf::from("/"));
    spec.shell = true;
    Ok(UnitTemplates::of(&spec)?.line(&UnitValues::parse(&payload)?, Seq::FIRST)?)
}

/// Returns `true` if the program ends with the code in time.
fn runs(program: &Path, cwd: &Path, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(cwd).env(EXPECTED, NASTY);
    let Ok(mut child) = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn() else {
        return false;
    };
    let started = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.code() == Some(CODE),
            Ok(None) if started.elapsed() < RUN_TIMEOUT => std::thread::sleep(LOOK_EVERY),
            Ok(None) | Err(_) => {
                // It may have ended by itself between the two calls.
                let _ = child.kill();
                let _ = child.wait();
                return false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn script(dir: &Path, name: &str, content: &str) -> String {
        let path = dir.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_shell_is_a_program_that_runs_scripts_and_reads_quotes_as_posix_says() {
        let dir = tempfile::tempdir().unwrap();
        let reads_backslashes =
            script(dir.path(), "like-fish", "#!/bin/sh\nexec sh -c \"$(printf %s \"$2\" | sed 's/\\\\\\\\/\\\\/g')\"");

        for scripts in [Scripts::WithValues, Scripts::Whole] {
            assert_eq!(
                find_shell("sh", dir.path(), scripts).unwrap(),
                find_program(OsStr::new("sh"), dir.path()).unwrap()
            );
            for name in ["true", "cat", "env"] {
                let refused = find_shell(name, dir.path(), scripts).unwrap_err().to_string();
                assert!(refused.ends_with("it does not run a script given after -c"), "{refused}");
            }
        }
        let refused = find_shell(&reads_backslashes, dir.path(), Scripts::WithValues).unwrap_err().to_string();
        assert!(refused.ends_with("it does not read quotes as a POSIX shell does"), "{refused}");
        let empty = find_shell("", dir.path(), Scripts::WithValues).unwrap_err().to_string();
        assert_eq!(empty, "\"\" cannot be the shell of scripts: it is empty, expected e.g. bash");
        assert!(matches!(find_shell("no-such-shell", dir.path(), Scripts::Whole), Err(SubmissionError::Program(_))));
    }
}
