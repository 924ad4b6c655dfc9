//! Why a command and its items are not made a job.

use std::io;
use std::path::PathBuf;

use crate::client::ClientError;
use crate::handler::{ProgramError, TemplateError, UnitLimitError};
use crate::model::JobId;
use crate::source::SourceError;

/// A submission that is refused; nothing was created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubmissionError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("cannot use the command")]
    Template(#[from] TemplateError),
    #[error(transparent)]
    UnitLimit(#[from] UnitLimitError),
    #[error("{place}: cannot use the command for this item")]
    Item {
        place: String,
        #[source]
        source: TemplateError,
    },
    #[error("{place}: the unit's key has {bytes} bytes, it may have at most {limit}")]
    KeyTooLong { place: String, bytes: usize, limit: usize },
    #[error("{place}: the unit's key is empty")]
    KeyEmpty { place: String },
    #[error("{placeholder} cannot be part of a unit's key: it is known only when the unit runs")]
    KeyCounts { placeholder: String },
    #[error(
        "no items for {}; `-` reads standard input, `:::` takes them from here; literal braces are doubled: {corrected}",
        placeholders.join(" ")
    )]
    NoItems { placeholders: Vec<String>, corrected: String },
    #[error("no items for standard input: `-` reads them from here, `:::` takes them from the command line")]
    NoItemsToRead,
    #[error("a unit of several items has no key, each of them would need one")]
    KeyOfSeveral,
    #[error(
        "a time or slots of each item's own need units of one item, these have several: give one for all, or omit -n and -X"
    )]
    LimitsOfSeveral,
    #[error("no items to be joined to units: `-` reads standard input, `:::` takes them from here")]
    NoItemsToGroup,
    #[error(
        "no end of the items of a unit: -X fills the command, which does not use them; write {{}} where they belong, or give -n N"
    )]
    NothingToFill,
    #[error("job {job} takes {}, and these are not", if *is_combination { "combinations of the items of several lists" } else { "single items, no combinations" })]
    OtherForm { job: JobId, is_combination: bool },
    #[error("job {job} takes {}", if *are_commands { "whole commands, and these are items" } else { "items, and these are whole commands" })]
    OtherKind { job: JobId, are_commands: bool },
    #[error("{place}: the unit's key begins with \"job-manager:\", choose another")]
    KeyReserved { place: String },
    /// The units of a job are known by another template than the one that was given.
    #[error("{}", other_unit_key(*job, recorded, given))]
    OtherUnitKey { job: JobId, recorded: String, given: String },
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error("{} cannot be the shell of scripts: {reason}", path.display())]
    NotAShell { path: PathBuf, reason: &'static str },
    #[error("--shell takes the whole script as one argument, this is {given}")]
    ShellArguments { given: usize },
    #[error("--env {0}: what begins with JOB_MANAGER_ is about a manager or a unit, choose another name")]
    EnvReserved(String),
    #[error("--env gives two values for {0}, give one")]
    EnvTwice(String),
    #[error("--env {0}: no such variable in this environment, give NAME=VALUE")]
    EnvMissing(String),
    #[error("--env-only {0:?}: give names of variables, and values with --env NAME=VALUE")]
    EnvOnlyName(String),
    #[error("--env {0}=…: a secret is not kept in the database; set it in this environment and give --env {0}")]
    SecretValue(String),
    #[error(
        "--output-dir {0}: a placeholder cannot stand there, the directory is the same for all units and its files are \
         named SEQ.ATTEMPT.out; literal braces are doubled"
    )]
    OutputDirTemplate(String),
    #[error("--output-dir {}: cannot write there", path.display())]
    OutputDir {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("invalid variable {0:?}, expected NAME or NAME=VALUE")]
    EnvName(String),
    #[error("cannot read how the job runs its units")]
    Spec(#[source] serde_json::Error),
    #[error("cannot tell the working directory")]
    Cwd(#[source] io::Error),
    #[error("the directory that this is called in is gone: give --cwd with an absolute path")]
    NoWorkingDirectory(#[source] io::Error),
    /// The units have no place to run in.
    #[error("no directory {}, units cannot run there", .0.display())]
    NoDirectory(PathBuf),
}

fn other_unit_key(job: JobId, recorded: &str, given: &str) -> String {
    let instead = "omit --unit-key";
    match recorded {
        "" => {
            format!("job {job} was created without --unit-key, its units cannot be known by {given:?} now: {instead}")
        }
        recorded => format!("job {job} knows its units by the key {recorded:?}, not {given:?}: {instead}"),
    }
}
