//! What the command line can answer instead of what it was asked for.

use std::io;
use std::path::PathBuf;

use job_manager::client::{ClientError, ClockError};
use job_manager::handler::SchemaError;
use job_manager::model::{ErrorKind, JobId, OwnVariableError};
use job_manager::source::SourceError;
use job_manager::submission::{SubmissionError, TemplateError};
use job_manager::text::JsonError;

use super::exit::Exit;
use super::next_step::next_step;
use super::verbs::service::ServiceError;
#[cfg(feature = "serve")]
use crate::dashboard::DashboardError;
use crate::settings::SettingError;

/// A verb that did not happen; each kind has exactly one exit code.
#[derive(Debug, thiserror::Error)]
pub(super) enum CliError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[cfg(feature = "serve")]
    #[error(transparent)]
    Dashboard(#[from] DashboardError),
    #[error(transparent)]
    Submission(#[from] SubmissionError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[cfg(feature = "mcp")]
    #[error(transparent)]
    Allow(#[from] crate::mcp::AllowError),
    #[cfg(feature = "mcp")]
    #[error(transparent)]
    Mcp(#[from] crate::mcp::ServeError),
    #[error(transparent)]
    Clock(#[from] ClockError),
    #[error(transparent)]
    OwnVariable(#[from] OwnVariableError),
    /// An option says how something else is done, which was not asked for.
    #[error("{given} requires {missing}")]
    Requires { given: &'static str, missing: &'static str },
    #[error("cannot read the schema {}", path.display())]
    Schema { path: PathBuf, source: io::Error },
    #[error("cannot use the schema {}", path.display())]
    UnusableSchema { path: PathBuf, source: SchemaError },
    #[error("no verb or topic {0:?}, `job-manager help` lists them")]
    NoTopic(String),
    #[error("a Parquet file is not for a terminal: write it into a file, with > results.parquet")]
    NotForTerminal,
    #[cfg(not(feature = "parquet"))]
    #[error("this program was built without the feature parquet: build one with it, or take --format csv")]
    NoParquet,
    #[error("no command, give one after `--`")]
    NoCommand,
    #[error(
        "a job has its command already: give items after `-- :::`, or another source; `submit -- COMMAND` creates a job"
    )]
    CommandForAdd,
    #[error("this is not the command of a unit: JOB_MANAGER_JOB, _UNIT and _ATTEMPT are not set")]
    OutsideUnit,
    #[error(transparent)]
    Setting(SettingError),
    #[error("say when the unit is to be tried again: a duration such as 10m, or --until 22:00")]
    NoTime,
    #[error("sync compares all items of the source with the job: with --limit those beyond it would count as gone")]
    SyncOfSome,
    #[error("unit-add takes items as arguments, not `-`: read lines with `job-manager add JOB -`")]
    ItemsFromStdin,
    #[error("the value is an argument, `-` does not read standard input: give \"$(cat)\", or '\"-\"' for a dash")]
    ValueFromStdin,
    #[error("the value is JSON that readers do not agree about; a text in JSON is quoted")]
    ValueUnsound(#[from] JsonError),
    #[error("no job is paused or interrupted")]
    NothingToResume,
    #[error("nothing was kept yet")]
    NothingKept,
    #[error("no source of items, give one such as --lines FILE, - for standard input or `-- ::: ITEM`")]
    NoSource,
    #[error("{given:?} is not a source, units come from `-` (standard input), an option such as --lines, or `:::`")]
    UnknownSource { given: String },
    #[error("standard input can be read once, `-` is given twice")]
    StdinTwice,
    #[error("{0} is given two values, give one")]
    GivenTwice(String),
    #[error("--retry-on and --exit do not agree whether exit code {code} is tried again")]
    ExitCodeTwice { code: i32 },
    #[error("--commands gives whole commands, no other source can be given beside it")]
    CommandsAmongItems,
    #[error("`{mark}` pairs a list with the one before it, there is none")]
    NothingToPair { mark: String },
    #[error("`{mark}` takes files of items, name one after it")]
    NoListFile { mark: String },
    #[error("lists are combined with each other, no other source can be given beside them: name a file with `::::`")]
    ListsAmongSources,
    #[error(
        "--glob {pattern}: a relative pattern is looked up in the directory of the units, and --cwd {cwd} is another one for each: \
         give an absolute pattern"
    )]
    GlobWithoutDirectory { pattern: String, cwd: String },
    #[error(
        "-n is about one unit or about what has been written, and -f of a job begins with what comes now: omit one of the two"
    )]
    LinesOfAll,
    #[error("cannot find the home directory, give a database with --db")]
    NoHome,
    /// Ctrl-C while output was printed; said where the job is followed.
    #[error("interrupted, the job goes on")]
    Detached,
    #[error("{0}: omit --json")]
    NoDocument(&'static str),
    #[error("-k and --tag print what units write, and {0}: omit one of the two")]
    NothingToPrint(&'static str),
    #[error("this would {0}: give -y to do it")]
    NotConfirmed(String),
    #[error("give a filter, or --all for every unit")]
    NoFilter,
    #[error("name a unit as JOB:SEQ, or by its key with --key")]
    NoSeq,
    #[error("give either --job-key or --key, they name different jobs")]
    TwoJobKeys,
    #[error("give either one unit or a filter, not both")]
    UnitAndFilter,
    #[error("give either JOB or the key of a job, not both")]
    TwoJobs,
    #[error("give either JOB:SEQ or the key of a unit, not both")]
    TwoUnits,
    #[error("{given:?} is a unit, and the name of job {job}: name the job by its number")]
    JobOrUnit { given: String, job: JobId },
    #[error("--sql is for a database on a PostgreSQL server, and {} is a file: its tables are made with the first job", .0.display())]
    NotOnServer(PathBuf),
    #[error("no manager on host {0} has a part in a job: `status -v` names the hosts of one")]
    HostNotFound(String),
    #[error("{0}")]
    Value(String),
    #[error("nothing to show: {0}")]
    NoLog(PathBuf, #[source] io::Error),
    #[cfg(feature = "top")]
    #[error("this needs a terminal: `list` shows the jobs elsewhere, `watch` follows one")]
    NoTerminal,
    #[cfg(feature = "top")]
    #[error("cannot use the terminal")]
    Terminal(#[source] io::Error),
    #[error("cannot listen for Ctrl-C")]
    Signals(#[source] io::Error),
    #[error("cannot write the manual page {}", path.display())]
    ManualPage { path: PathBuf, source: io::Error },
    #[cfg(feature = "serve")]
    #[error("cannot write metrics to {}", path.display())]
    Metrics { path: PathBuf, source: io::Error },
    #[error("cannot print")]
    Output(#[from] io::Error),
}

/// Says what gives a placeholder its meaning that has none without it.
fn of_submission(error: &SubmissionError) -> Option<String> {
    let (SubmissionError::Template(template) | SubmissionError::Item { source: template, .. }) = error else {
        let SubmissionError::NoItems { placeholders, .. } = error else { return None };
        return of_placeholders(placeholders);
    };
    match template {
        TemplateError::UnknownPlaceholders { placeholders, .. } => of_placeholders(placeholders),
        _ => None,
    }
}

fn of_placeholders(placeholders: &[String]) -> Option<String> {
    let is_out = |placeholder: &String| placeholder == "{out}" || placeholder.starts_with("{out/");
    placeholders.iter().any(is_out).then(|| "--creates PATH says what {out} becomes".to_owned())
}

impl From<SettingError> for CliError {
    fn from(error: SettingError) -> Self {
        match error {
            SettingError::Client(error) => error.into(),
            other => Self::Setting(other),
        }
    }
}

impl CliError {
    /// Returns the exit code.
    pub fn exit(&self) -> Exit {
        self.kind().into()
    }

    /// Returns what to try next in words, if the message does not say it.
    pub fn next_step(&self) -> Option<String> {
        match self {
            Self::Client(error) | Self::Submission(SubmissionError::Client(error)) => next_step(error),
            #[cfg(feature = "serve")]
            Self::Dashboard(DashboardError::Client(error)) => next_step(error),
            Self::Submission(error) => of_submission(error),
            _ => None,
        }
    }

    /// Returns what kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Client(error) => error.kind(),
            #[cfg(feature = "mcp")]
            Self::Allow(_) => ErrorKind::InvalidInput,
            #[cfg(feature = "mcp")]
            Self::Mcp(crate::mcp::ServeError::SetUp(_)) => ErrorKind::Internal,
            #[cfg(feature = "serve")]
            Self::Dashboard(error) => error.kind(),
            Self::Submission(error) => error.kind(),
            #[cfg(feature = "top")]
            Self::Terminal(_) => ErrorKind::Internal,
            Self::Service(error) => error.kind(),
            Self::Detached => ErrorKind::Interrupted,
            Self::Source(error) => error.kind(),
            Self::NothingToResume => ErrorKind::Conflict,
            Self::NoLog(_, error) if error.kind() != io::ErrorKind::NotFound => ErrorKind::Database,
            Self::NothingKept | Self::NoLog(..) | Self::HostNotFound(_) => ErrorKind::NotFound,
            Self::Signals(_) | Self::ManualPage { .. } | Self::Output(_) => ErrorKind::Internal,
            // What was asked for cannot be.
            _ => ErrorKind::InvalidInput,
        }
    }
}
