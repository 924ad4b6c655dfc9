//! Becoming a process that nobody's death can reach.
//!
//! The client spawns its own executable, without `pre_exec` and without a new process group, because `setsid` fails
//! for a group leader. That launcher leaves the session, spawns the executable once more and exits: the client reaps
//! it at once, and the manager is nobody's child. The manager then undoes what it inherited.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag};
use nix::sys::stat::{Mode, umask};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::own_program::own_executable;
use super::scope::Scope;

/// What came back through the ready pipe.
#[derive(Debug)]
pub enum Launched {
    /// The manager wrote this line.
    Line(String),
    /// The manager, or the launcher, ended without a word.
    Ended,
    /// Nothing came before the deadline.
    TimedOut,
}

/// How a launcher is started.
#[derive(Debug)]
pub struct LaunchPlan<'a> {
    /// The program, which becomes a launcher.
    pub program: &'a Path,
    /// Its name in listings; those of a scope show the program.
    pub title: &'a str,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables that it and the manager get besides those of this process.
    pub variables: Vec<(OsString, OsString)>,
    /// Variables that neither it nor the manager gets.
    pub forget: &'a [&'a str],
    /// The scope that it and the manager are to live in, if it is not the control group of this process.
    pub scope: Option<&'a Scope>,
    /// Where both write what they have to say.
    pub log: File,
}

impl LaunchPlan<'_> {
    fn command(self) -> Command {
        let mut command = match self.scope {
            Some(scope) => scope.command(self.program),
            None => Command::new(self.program),
        };
        if self.scope.is_none() {
            command.arg0(self.title);
        }
        for variable in self.forget {
            command.env_remove(variable);
        }
        command.envs(self.variables);
        command.args(self.args).stdin(Stdio::null()).stderr(self.log);
        command
    }
}

/// Starts the launcher and waits for the manager's line.
///
/// Stdin is null, stdout the ready pipe. Blocks for at most `timeout`; the launcher is reaped in any case, and
/// nothing of the caller's process is touched.
pub fn launch(plan: LaunchPlan<'_>, timeout: Duration) -> io::Result<Launched> {
    let deadline = Instant::now() + timeout;
    let (reader, writer) = io::pipe()?;
    // The command goes at once, and with it the other end of the pipe, whose closing tells of a death.
    let mut launcher = plan.command().stdout(writer).spawn()?;
    let answer = read_line(reader, deadline);
    if matches!(answer, Ok(Launched::TimedOut)) {
        end(&mut launcher);
    }
    match launcher.wait() {
        Ok(_) => {}
        // The host ignores SIGCHLD, and the kernel has reaped the launcher itself.
        Err(error) if error.raw_os_error() == Some(Errno::ECHILD as i32) => {}
        Err(error) => return Err(error),
    }
    answer
}

/// Ends a launcher that still waits, for a service manager say; what becomes of it, its wait tells.
///
/// Where the kernel reaps it at once, its number may be somebody else's by now: only one that is a child of ours still
/// is ended.
fn end(launcher: &mut Child) {
    if matches!(launcher.try_wait(), Ok(None)) {
        let _ = launcher.kill();
    }
}

fn read_line(mut pipe: PipeReader, deadline: Instant) -> io::Result<Launched> {
    let mut line = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
        let mut ready = [PollFd::new(&pipe, PollFlags::IN)];
        match poll(&mut ready, Some(&timeout)) {
            Ok(0) => return Ok(Launched::TimedOut),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let mut chunk = [0; 1024];
        let read = pipe.read(&mut chunk)?;
        line.extend_from_slice(&chunk[..read]);
        if let Some(end) = line.iter().position(|&byte| byte == b'\n') {
            line.truncate(end);
            return Ok(Launched::Line(String::from_utf8_lossy(&line).into_owned()));
        }
        if read == 0 {
            return Ok(Launched::Ended);
        }
    }
}

/// The launcher's whole life: leaves the session and spawns the manager, which inherits the three standard streams.
///
/// `changed` are environment variables that the manager inherits with another value, or not at all.
pub fn detach_and_respawn(
    title: &str,
    args: Vec<OsString>,
    changed: impl IntoIterator<Item = (OsString, Option<OsString>)>,
) -> io::Result<()> {
    keep_descriptors_to_ourselves()?;
    nix::unistd::setsid()?;
    let mut manager = Command::new(own_executable());
    manager.arg0(title).args(args);
    for (name, value) in changed {
        match value {
            Some(value) => manager.env(name, value),
            None => manager.env_remove(name),
        };
    }
    manager.spawn()?;
    Ok(())
}

/// First thing in a manager: undoes what it inherited from the host, but for descriptors, which the launcher kept.
///
/// Its umask is private until it knows that of its job.
pub fn become_manager() -> io::Result<()> {
    super::signals::reset_signals()?;
    super::memory::return_long_blocks();
    umask(Mode::from_bits_truncate(0o077));
    // Orphans of units become children of the manager, so that none is lost to a PID 1 that may not reap it.
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    nix::sys::prctl::set_name(c"job-manager")?;
    Ok(())
}

/// Answers on the ready pipe. Nobody may be listening any more, which is no reason to stop.
pub fn write_ready(line: &str) {
    let bytes = format!("{line}\n");
    // A client that has gone leaves EPIPE, and SIGPIPE is ignored: the manager runs on.
    let _ = nix::unistd::write(io::stdout(), bytes.as_bytes());
}

/// Closes the ready pipe, so that whoever reads it sees its end; stdout is null from then on.
pub fn close_ready_pipe() -> io::Result<()> {
    let null = File::options().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(null.as_fd())?;
    Ok(())
}

/// Lets no process started from here on inherit a descriptor above the standard three; they belong to the host.
///
/// They are not closed, because some may belong to threads of this process, such as those of an async runtime.
fn keep_descriptors_to_ourselves() -> io::Result<()> {
    const LAST_STANDARD: RawFd = 2;
    let open: Vec<RawFd> = fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|&fd| fd > LAST_STANDARD)
        .collect();
    for fd in open {
        // SAFETY: only handed to a call that reports a descriptor that is not open, as that of the listing by now.
        let descriptor = unsafe { BorrowedFd::borrow_raw(fd) };
        match nix::fcntl::fcntl(descriptor, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)) {
            Ok(_) | Err(Errno::EBADF) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
