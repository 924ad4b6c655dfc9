//! A command as `posix_spawn` takes it: words, directory, variables, and the three standard streams.
//!
//! `std::process::Command` takes the files that it hands on, builds the environment again for each process, and forks where a
//! program is named without its path.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, NulError, OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use std::sync::Arc;

use nix::libc::{self, c_char, c_int, c_short};
use nix::sys::signal::{SigSet, Signal};
use rustix::process::Pid;

use super::memory_scope::joining;

/// Variables, each as the kernel takes it.
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<OsString, Result<CString, NulError>>);

impl Environment {
    fn set(&mut self, name: &OsStr, value: &OsStr) {
        let mut entry = Vec::with_capacity(name.len() + value.len() + 2);
        entry.extend_from_slice(name.as_bytes());
        entry.push(b'=');
        entry.extend_from_slice(value.as_bytes());
        self.0.insert(name.to_owned(), CString::new(entry));
    }

    fn get(&self, name: &OsStr) -> Option<&OsStr> {
        let entry = self.0.get(name)?.as_ref().ok()?;
        Some(OsStr::from_bytes(&entry.as_bytes()[name.len() + 1..]))
    }
}

impl<N: AsRef<OsStr>, V: AsRef<OsStr>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        let mut environment = Self::default();
        variables.into_iter().for_each(|(name, value)| environment.set(name.as_ref(), value.as_ref()));
        environment
    }
}

/// What a unit's process is started with.
#[derive(Debug, Clone)]
pub struct UnitCommand {
    /// The file of the program; a relative one is below the directory.
    pub program: PathBuf,
    /// Its arguments, the name of the program first.
    pub argv: Vec<OsString>,
    /// Where it runs.
    pub cwd: PathBuf,
    /// The file of the control group that it is to be in, if it is to be in another than this process.
    pub group: Option<PathBuf>,
    /// Variables that all units of a job get.
    common: Arc<Environment>,
    /// Variables of this one, which replace those.
    own: Environment,
}

impl UnitCommand {
    /// Makes a command of a program, its arguments with the name first, and the variables that all units get.
    pub fn new(program: PathBuf, argv: Vec<OsString>, cwd: PathBuf, common: &Arc<Environment>) -> Self {
        Self { program, argv, cwd, group: None, common: Arc::clone(common), own: Environment::default() }
    }

    /// Sets a variable.
    pub fn set(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) {
        self.own.set(name.as_ref(), value.as_ref());
    }

    /// Sets a variable, unless all units have one of that name.
    pub fn set_default(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) {
        if !self.common.0.contains_key(name.as_ref()) {
            self.set(name, value);
        }
    }

    /// Returns the value of a variable.
    pub fn get(&self, name: impl AsRef<OsStr>) -> Option<&OsStr> {
        let name = name.as_ref();
        self.own.get(name).or_else(|| self.common.get(name))
    }

    /// Returns the program that moves itself into a control group and becomes this one, and its words.
    ///
    /// What it cannot become is found out here, as far as that shows: it could only say so to the unit.
    fn joining(&self, group: &Path) -> io::Result<(PathBuf, Vec<OsString>)> {
        rustix::fs::access(self.cwd.join(&self.program), rustix::fs::Access::EXEC_OK)?;
        Ok(joining(group, &self.program, &self.argv))
    }

    /// Starts it in a process group of its own, without signals that are blocked or a SIGPIPE that is ignored.
    pub(super) fn spawn(&self, streams: [BorrowedFd<'_>; 3]) -> io::Result<Pid> {
        let joined = self.group.as_ref().map(|group| self.joining(group)).transpose()?;
        let (program, argv) = joined.as_ref().map_or((&self.program, &self.argv), |(program, argv)| (program, argv));
        let program = c_string(program.as_os_str())?;
        let argv: Vec<CString> = argv.iter().map(|word| c_string(word)).collect::<io::Result<_>>()?;
        let common = self.common.0.iter().filter(|(name, _)| !self.own.0.contains_key(*name));
        let variables: Vec<&CStr> = common
            .chain(&self.own.0)
            .map(|(_, entry)| entry.as_deref().map_err(|error| error.clone().into()))
            .collect::<io::Result<_>>()?;
        let actions = FileActions::new(streams, &self.cwd)?;
        let attributes = Attributes::new()?;
        let argv = pointers(argv.iter().map(CString::as_c_str));
        let envp = pointers(variables.into_iter());
        let mut pid = 0;
        // SAFETY: every pointer is to something that lives until the call returns, both lists end with a null pointer, and
        // nobody writes to the words.
        check(unsafe {
            libc::posix_spawn(&mut pid, program.as_ptr(), &actions.0, &attributes.0, argv.as_ptr(), envp.as_ptr())
        })?;
        Ok(Pid::from_raw(pid).expect("a process that was started has a number"))
    }
}

fn c_string(text: &OsStr) -> io::Result<CString> {
    Ok(CString::new(text.to_owned().into_vec())?)
}

fn pointers<'a>(texts: impl Iterator<Item = &'a CStr>) -> Vec<*mut c_char> {
    texts.map(|text| text.as_ptr().cast_mut()).chain([null_mut()]).collect()
}

/// Turns the answer of these functions, which do not set `errno`, into a result.
fn check(code: c_int) -> io::Result<()> {
    if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(code)) }
}

/// What a child does before it becomes the program.
struct FileActions(libc::posix_spawn_file_actions_t);

impl FileActions {
    fn new(streams: [BorrowedFd<'_>; 3], cwd: &Path) -> io::Result<FileActions> {
        let cwd = c_string(cwd.as_os_str())?;
        let mut actions = MaybeUninit::uninit();
        // SAFETY: this is what makes it a value.
        check(unsafe { libc::posix_spawn_file_actions_init(actions.as_mut_ptr()) })?;
        // SAFETY: it was made one.
        let mut actions = FileActions(unsafe { actions.assume_init() });
        for (stream, number) in streams.into_iter().zip(0..) {
            // SAFETY: the actions are a value; the descriptor is used while it is borrowed only.
            check(unsafe { libc::posix_spawn_file_actions_adddup2(&mut actions.0, stream.as_raw_fd(), number) })?;
        }
        // SAFETY: the actions are a value and take a copy of the path.
        check(unsafe { libc::posix_spawn_file_actions_addchdir_np(&mut actions.0, cwd.as_ptr()) })?;
        Ok(actions)
    }
}

impl Drop for FileActions {
    fn drop(&mut self) {
        // SAFETY: they are a value and are not used any more.
        unsafe { libc::posix_spawn_file_actions_destroy(&mut self.0) };
    }
}

/// The process group and the signals of a child.
struct Attributes(libc::posix_spawnattr_t);

impl Attributes {
    fn new() -> io::Result<Attributes> {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: this is what makes it a value.
        check(unsafe { libc::posix_spawnattr_init(attributes.as_mut_ptr()) })?;
        // SAFETY: it was made one.
        let mut attributes = Attributes(unsafe { attributes.assume_init() });
        let (none, of_pipes) = (SigSet::empty(), SigSet::from(Signal::SIGPIPE));
        let flags = libc::POSIX_SPAWN_SETPGROUP | libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF;
        let flags = c_short::try_from(flags).expect("flags are bits of a short number");
        // SAFETY: the attributes are a value and take copies of the sets.
        unsafe {
            check(libc::posix_spawnattr_setpgroup(&mut attributes.0, 0))?;
            check(libc::posix_spawnattr_setsigmask(&mut attributes.0, none.as_ref()))?;
            check(libc::posix_spawnattr_setsigdefault(&mut attributes.0, of_pipes.as_ref()))?;
            check(libc::posix_spawnattr_setflags(&mut attributes.0, flags))?;
        }
        Ok(attributes)
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: they are a value and are not used any more.
        unsafe { libc::posix_spawnattr_destroy(&mut self.0) };
    }
}

#[cfg(test)]
mod tests {
    use super::super::inherited::null;
    use super::*;

    fn command(script: &str, common: &[(&str, &str)]) -> UnitCommand {
        let argv = ["sh", "-c", script].map(OsString::from).to_vec();
        UnitCommand::new("/bin/sh".into(), argv, "/".into(), &Arc::new(common.iter().copied().collect()))
    }

    fn status_of(command: &UnitCommand) -> Option<i32> {
        let null = null().unwrap();
        let pid = command.spawn([null; 3]).unwrap();
        let (_, status) = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty()).unwrap().unwrap();
        status.exit_status()
    }

    #[test]
    fn a_process_has_the_variables_of_all_units_and_its_own_instead_of_them() {
        let mut command = command(r#"exec test "$A$B$C$D$HOME" = 1345"#, &[("A", "1"), ("B", "2"), ("C", "4")]);
        command.set("B", "3");
        command.set_default("C", "9");
        command.set_default("D", "5");

        assert_eq!(status_of(&command), Some(0));
        assert_eq!(command.get("B"), Some(OsStr::new("3")));
        assert_eq!(command.get("A"), Some(OsStr::new("1")));
    }

    #[test]
    fn a_process_runs_in_its_directory_and_leads_a_group() {
        let dir = tempfile::tempdir().unwrap();
        let script = format!("test $PWD = {} && test $(ps -o pgid= -p $$) = $$", dir.path().display());
        let mut command = command(&script, &[("PATH", "/usr/bin:/bin")]);
        command.cwd = dir.path().to_owned();

        assert_eq!(status_of(&command), Some(0));
    }

    #[test]
    fn what_holds_a_nul_or_is_not_there_is_an_error() {
        let null = null().unwrap();
        let mut with_nul = command("exit", &[("A", "\0")]);
        let mut missing = command("exit", &[]);
        missing.program = "/nowhere".into();

        assert_eq!(with_nul.spawn([null; 3]).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        with_nul.set("A", "");
        assert!(status_of(&with_nul) == Some(0));
        assert_eq!(missing.spawn([null; 3]).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
