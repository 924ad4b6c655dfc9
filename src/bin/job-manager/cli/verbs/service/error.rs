//! What `service` can answer instead of what it was asked for.

use std::io;
use std::path::{Path, PathBuf};

use job_manager::model::ErrorKind;

/// A service that was not installed, removed or shown.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error("cannot find the home directory, set HOME")]
    NoHome,
    #[error("cannot tell which file this program is")]
    Program(#[source] io::Error),
    #[error("{0:?} cannot be written into a service file: it has control characters or is not UTF-8")]
    Unwritable(PathBuf),
    #[error("--print shows what `install` would write, and goes with `install` only")]
    NothingToPrint,
    #[error("no service is installed at {}", .0.display())]
    NotInstalled(PathBuf),
    #[error("cannot {operation} {}", path.display())]
    Files { operation: &'static str, path: PathBuf, source: io::Error },
    /// Written all the same: it is the part that does not need a service manager.
    #[error(
        "{} is written and not enabled, so that nothing starts yet: run `{renew}` and `{enable}` where the service manager \
         can be reached ({said})", file.display()
    )]
    NotEnabled { file: PathBuf, renew: &'static str, enable: String, said: String },
}

impl ServiceError {
    pub(super) fn files(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ServiceError {
        let path = path.to_owned();
        move |source| ServiceError::Files { operation, path, source }
    }

    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoHome | Self::Unwritable(_) | Self::NothingToPrint => ErrorKind::InvalidInput,
            Self::NotInstalled(_) => ErrorKind::NotFound,
            Self::Program(_) | Self::Files { .. } | Self::NotEnabled { .. } => ErrorKind::Internal,
        }
    }
}
