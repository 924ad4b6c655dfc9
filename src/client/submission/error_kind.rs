//! Which kind each refusal of a submission is.

use super::SubmissionError;
use crate::handler::ProgramError;
use crate::model::ErrorKind;

impl SubmissionError {
    /// Returns what kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Client(error) => error.kind(),
            Self::OtherUnitKey { .. } => ErrorKind::Conflict,
            Self::Program(ProgramError::Empty | ProgramError::NotFound(_) | ProgramError::OneWord(_)) => {
                ErrorKind::CommandNotFound
            }
            Self::Program(ProgramError::NotExecutable(_) | ProgramError::InterpreterMissing { .. }) => {
                ErrorKind::CommandNotExecutable
            }
            Self::Source(error) => error.kind(),
            Self::Template(_)
            | Self::UnitLimit(_)
            | Self::Item { .. }
            | Self::KeyTooLong { .. }
            | Self::KeyReserved { .. }
            | Self::KeyEmpty { .. }
            | Self::KeyCounts { .. }
            | Self::NoItems { .. }
            | Self::NoItemsToRead
            | Self::NoItemsToGroup
            | Self::SchemaWithoutJson
            | Self::BlankCheck
            | Self::NoDesktop
            | Self::CannotSign
            | Self::Schema(_)
            | Self::KeyOfSeveral
            | Self::LimitsOfSeveral
            | Self::Group { .. }
            | Self::NothingToFill
            | Self::OtherForm { .. }
            | Self::OtherKind { .. }
            | Self::EnvName(_)
            | Self::EnvReserved(_)
            | Self::EnvTwice(_)
            | Self::OutputDir { .. }
            | Self::NotAShell { .. }
            | Self::OutputDirTemplate(_)
            | Self::ShellArguments { .. }
            | Self::EnvMissing(_)
            | Self::Trace { .. }
            | Self::EnvOnlyName(_)
            | Self::SecretValue(_)
            | Self::NoWorkingDirectory(_)
            | Self::PathOutside(_)
            | Self::NoDirectory(_) => ErrorKind::InvalidInput,
            Self::GivenUp => ErrorKind::Conflict,
            Self::Cwd(_) => ErrorKind::Internal,
        }
    }
}
