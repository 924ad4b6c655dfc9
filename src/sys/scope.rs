//! A systemd scope for a manager: a control group of its own, which the end of a service does not reach.
//!
//! `systemd-run --scope` asks the service manager for the scope, moves itself into it, and becomes the program: the
//! standard streams and the environment stay, and so does the way in which a launcher detaches. Root asks the manager of
//! the system, everybody else that of the user.
//!
//! Known weakness: where systemd stops a whole scope after a process in it ran out of memory, the manager ends with
//! its unit, and the job is interrupted; older versions refuse the property that would prevent it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::geteuid;

use super::own_program::own_executable;

const SYSTEMD_RUN: &str = "systemd-run";
const RUNTIME_DIR: &str = "XDG_RUNTIME_DIR";
/// What the names of scopes of managers begin with.
pub const SCOPE_PREFIX: &str = "job-manager-";

/// Why no scope can be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// There is no systemd here.
    #[error("systemd-run is not on PATH, systemd does not run this system")]
    NotFound,
    /// The program is there and cannot be started.
    #[error("cannot start systemd-run")]
    Spawn(#[source] io::Error),
    /// The manager of the system, or of the user, cannot be reached, or did not want to.
    #[error("systemd-run says: {said}{}", if *.user { "; `loginctl enable-linger` keeps your user manager running" } else { "" })]
    Refused {
        /// Whether the manager of the user was asked.
        user: bool,
        /// Its last words.
        said: String,
    },
}

/// A scope that is to be made.
#[derive(Debug)]
pub struct Scope {
    /// Its name, without its ending; no unit of that name may live.
    pub unit: String,
    /// What it is, for people.
    pub description: String,
}

impl Scope {
    /// Returns the command that starts `program` in this scope; arguments and streams may still be added.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = systemd_run();
        command.arg(format!("--unit={}", self.unit)).arg(format!("--description={}", self.description));
        command.arg("--").arg(seen_from_outside(program));
        command
    }
}

/// Makes a scope for a program that ends at once, which shows whether one can be made.
pub fn try_scope() -> Result<(), ScopeError> {
    let tried =
        systemd_run().args(["--", "true"]).stdin(Stdio::null()).output().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ScopeError::NotFound,
            _ => ScopeError::Spawn(error),
        })?;
    if tried.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&tried.stderr);
    let said: Vec<&str> = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let said = if said.is_empty() { tried.status.to_string() } else { said.join(" ") };
    Err(ScopeError::Refused { user: !geteuid().is_root(), said })
}

fn systemd_run() -> Command {
    let mut command = Command::new(SYSTEMD_RUN);
    if geteuid().is_root() {
        command.arg("--system");
    } else {
        command.arg("--user");
        reach_user_manager(&mut command);
    }
    command.args(["--scope", "--collect", "--quiet", "--no-ask-password"]);
    command
}

/// Has a command find the user manager also from where there is no session, as in a service of the system.
pub fn reach_user_manager(command: &mut Command) {
    let runtime = PathBuf::from(format!("/run/user/{}", geteuid()));
    if std::env::var_os(RUNTIME_DIR).is_none() && runtime.is_dir() {
        command.env(RUNTIME_DIR, runtime);
    }
}

/// Names this executable as another process can, for which `/proc/self` is something else.
fn seen_from_outside(program: &Path) -> PathBuf {
    if program == own_executable() {
        // Valid until the launcher runs, because this process waits for it.
        PathBuf::from(format!("/proc/{}/exe", std::process::id()))
    } else {
        program.to_owned()
    }
}
