//! Why a dashboard cannot be served.

use std::io;
use std::path::PathBuf;

use job_manager::client::ClientError;
use job_manager::model::ErrorKind;

/// A dashboard that is not served.
#[derive(Debug, thiserror::Error)]
pub enum DashboardError {
    /// The database cannot be used.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Another program listens there.
    #[error(
        "port {port} is in use, perhaps by another dashboard: give another one with --port, or --port 0 for any that is free"
    )]
    PortInUse { port: u16 },
    /// The port cannot be had.
    #[error("cannot listen on port {port} of 127.0.0.1")]
    Listen { port: u16, source: io::Error },
    /// The token cannot be read or made.
    #[error("cannot {operation} {}", path.display())]
    Token { operation: &'static str, path: PathBuf, source: io::Error },
    /// A token cannot be drawn.
    #[error("cannot read the system's random source")]
    Random(#[source] getrandom::Error),
    /// Somebody else knows the token, or there is none in the file.
    #[error("{} {reason}: delete it, and a new one is made", path.display())]
    TokenUnsafe { path: PathBuf, reason: &'static str },
    /// The web server ended by itself.
    #[error("the web server failed")]
    Server(#[source] io::Error),
}

impl DashboardError {
    /// Returns what kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Client(error) => error.kind(),
            Self::PortInUse { .. } => ErrorKind::InvalidInput,
            Self::Token { .. } | Self::TokenUnsafe { .. } => ErrorKind::Database,
            Self::Random(_) | Self::Listen { .. } | Self::Server(_) => ErrorKind::Internal,
        }
    }
}
