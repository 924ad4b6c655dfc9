//! Which program a manager is started from.

use std::path::{Path, PathBuf};

use super::{ClientError, StartError};
use crate::handler::COMMAND;
use crate::launch;
use crate::model::Job;
use crate::sys;

const BINARY: &str = "job-manager";

/// The program that is started again as a job's manager.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ManagerProgram {
    /// This executable, which calls [`run_if_manager`](crate::run_if_manager) first thing in `main`.
    #[default]
    ThisExecutable,
    /// The program that ran the job before; this executable for commands, and for everything it ran itself.
    OfJob,
    /// That program.
    Path(PathBuf),
    /// The program `job-manager` beside this executable, or on `PATH`.
    Lookup,
}

impl ManagerProgram {
    /// Returns the path to start.
    pub(super) fn resolve(&self, job: &Job, before: Option<&Path>) -> Result<PathBuf, ClientError> {
        match self {
            Self::OfJob if job.handler != COMMAND => match before {
                Some(program) => Ok(program.to_owned()),
                None => Err(StartError::ProgramUnknown { job: job.id, handler: job.handler.clone() }.into()),
            },
            // Without the hook the executable would run the service a second time.
            Self::ThisExecutable | Self::OfJob if !launch::hook_was_called() => Err(StartError::HookMissing.into()),
            Self::ThisExecutable | Self::OfJob => Ok(sys::own_executable()),
            Self::Path(path) => Ok(path.clone()),
            Self::Lookup => look_up().ok_or(StartError::ProgramMissing.into()),
        }
    }
}

fn look_up() -> Option<PathBuf> {
    let beside = std::env::current_exe().ok().and_then(|exe| exe.parent().map(|dir| dir.join(BINARY)));
    let on_path = std::env::var_os("PATH")
        .into_iter()
        .flat_map(|path| std::env::split_paths(&path).map(|dir| dir.join(BINARY)).collect::<Vec<_>>());
    beside.into_iter().chain(on_path).find(|candidate: &PathBuf| Path::is_file(candidate))
}
