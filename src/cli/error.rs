//! What the command line can answer instead of what it was asked for.

use std::io;
use std::path::PathBuf;

#[cfg(feature = "serve")]
use super::exit::of_dashboard;
use super::exit::{Exit, of_client};
use crate::client::ClientError;
#[cfg(feature = "serve")]
use crate::dashboard::DashboardError;
use crate::handler::{ProgramError, TemplateError};
use crate::source::SourceError;
use crate::store::ForeignError;

/// A verb that did not happen; each kind has exactly one exit code.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[cfg(feature = "serve")]
    #[error(transparent)]
    Dashboard(#[from] DashboardError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("cannot use the command: {0}")]
    Template(#[from] TemplateError),
    #[error("{place}: cannot use the command for this item")]
    Item {
        place: String,
        #[source]
        source: TemplateError,
    },
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error("no command, give one behind `--`")]
    NoCommand,
    #[error("a job has its command already: give items behind `-- :::`, or another source")]
    CommandForAdd,
    #[error("this is not the command of a unit: JOB_MANAGER_JOB, _UNIT and _ATTEMPT are not set")]
    OutsideUnit,
    #[error("no source of units, such as --lines FILE or - for standard input")]
    NoSource,
    #[error("cannot read how the job runs its units")]
    Spec(#[source] serde_json::Error),
    #[error("{given:?} is no source, units come from `-` (standard input), an option such as --lines, or `:::`")]
    UnknownSource { given: String },
    #[error("standard input can be read once, `-` is given twice")]
    StdinTwice,
    #[error("--commands gives whole commands, no other source can be given beside it")]
    CommandsAmongItems,
    #[error("{place}: the unit's key has {bytes} bytes, it may have {limit} at the most")]
    KeyTooLong { place: String, bytes: usize, limit: usize },
    #[error(transparent)]
    Foreign(#[from] ForeignError),
    #[error("--shell takes the whole script as one argument, this is {given}")]
    ShellArguments { given: usize },
    #[error("--env {0}: no such variable in this environment, give NAME=VALUE")]
    EnvMissing(String),
    #[error("--env {0}=…: a secret is not kept in the database; set it in this environment and give --env {0}")]
    SecretValue(String),
    #[error("the output of a unit can be followed in a job created with --output full only, name it as JOB:SEQ")]
    NothingToFollow,
    #[error("cannot find the home directory, give a database with --db")]
    NoHome,
    #[error("cannot create {}", path.display())]
    DataDir { path: PathBuf, source: io::Error },
    #[error("cannot tell the working directory")]
    Cwd(#[source] io::Error),
    /// The units have no place to run in.
    #[error("no directory {}, units cannot run there", .0.display())]
    NoDirectory(PathBuf),
    /// A flag was given that says how to read a source, without that source.
    #[error("--null says how to read lines: give --lines FILE, --commands FILE or - as well")]
    NullWithoutLines,
    #[error("--path says where units are in a JSON file: give --json FILE as well")]
    PathWithoutJson,
    #[error("this would {0}: give -y to do it")]
    NotConfirmed(String),
    #[error("give a filter, or --all for every unit")]
    NoFilter,
    #[error("give the number of a unit as JOB:SEQ")]
    NoSeq,
    #[error("nothing to show: {0}")]
    NoLog(PathBuf, #[source] io::Error),
    #[error("cannot listen for Ctrl-C")]
    Signals(#[source] io::Error),
    #[error("cannot write the manual page {}", path.display())]
    ManualPage { path: PathBuf, source: io::Error },
    #[error("cannot print")]
    Output(#[from] io::Error),
}

impl CliError {
    pub fn exit(&self) -> Exit {
        match self {
            Self::Client(error) => of_client(error),
            #[cfg(feature = "serve")]
            Self::Dashboard(error) => of_dashboard(error),
            Self::Program(ProgramError::NotFound(_)) => Exit::CommandNotFound,
            Self::Program(ProgramError::NotExecutable(_)) => Exit::CommandNotExecutable,
            Self::Source(_)
            | Self::Template(_)
            | Self::Item { .. }
            | Self::NoCommand
            | Self::CommandForAdd
            | Self::NoSource
            | Self::OutsideUnit
            | Self::UnknownSource { .. }
            | Self::StdinTwice
            | Self::CommandsAmongItems
            | Self::KeyTooLong { .. }
            | Self::Foreign(_)
            | Self::ShellArguments { .. }
            | Self::EnvMissing(_)
            | Self::SecretValue(_)
            | Self::NothingToFollow
            | Self::NoHome
            | Self::NotConfirmed(_)
            | Self::NoFilter
            | Self::NoDirectory(_)
            | Self::NullWithoutLines
            | Self::PathWithoutJson
            | Self::NoSeq => Exit::Usage,
            Self::NoLog(..) => Exit::NotFound,
            Self::DataDir { .. } => Exit::Database,
            Self::Cwd(_) | Self::Spec(_) | Self::Signals(_) | Self::ManualPage { .. } | Self::Output(_) => {
                Exit::Unexpected
            }
        }
    }
}
