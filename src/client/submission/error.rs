//! Why a command and its items are not made a job.

use std::io;
use std::path::PathBuf;

use super::shell_fault::ShellFault;
use super::trace_fault::TraceFault;
use crate::client::ClientError;
use crate::handler::{ProgramError, SchemaError, TemplateError, UnitLimitError};
use crate::model::JobId;
use crate::source::SourceError;

/// A submission that is refused; nothing was created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubmissionError {
    /// Nobody waits for it any more.
    #[error("the submission was given up before all of its items were read")]
    GivenUp,
    /// A path of a unit is none of those that may be used.
    #[error("{} of a unit is outside of what may be used", .0.display())]
    PathOutside(PathBuf),
    /// The client refused.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The command has a placeholder that cannot be filled.
    #[error("cannot use the command")]
    Template(#[from] TemplateError),
    /// A limit that units have of their own cannot be used.
    #[error(transparent)]
    UnitLimit(#[from] UnitLimitError),
    /// The command cannot be filled for one item.
    #[error("{place}: cannot use the command for this item")]
    Item {
        /// Where the item came from.
        place: String,
        /// The cause.
        #[source]
        source: TemplateError,
    },
    /// A unit cannot be in a group.
    #[error("{place}: cannot use the command for this item")]
    Group {
        /// Where the item came from.
        place: String,
        /// The cause.
        #[source]
        source: UnitLimitError,
    },
    /// The key of a unit is too long.
    #[error("{place}: the unit's key has {bytes} bytes, it may have at most {limit}")]
    KeyTooLong {
        /// Where the item came from.
        place: String,
        /// How long the key is.
        bytes: usize,
        /// How long it may be.
        limit: usize,
    },
    /// The key of a unit is empty.
    #[error("{place}: the unit's key is empty")]
    KeyEmpty {
        /// Where the item came from.
        place: String,
    },
    /// The key of units names what only a running unit knows.
    #[error("{placeholder} cannot be part of a unit's key: it is known only when the unit runs")]
    KeyCounts {
        /// The placeholder, as written.
        placeholder: String,
    },
    /// The command has placeholders, and there is no source of items.
    #[error(
        "no items for {}; literal braces are doubled: {corrected}",
        placeholders.join(" ")
    )]
    NoItems {
        /// The placeholders, as written.
        placeholders: Vec<String>,
        /// The command with its braces doubled.
        corrected: String,
    },
    /// Units read an item from standard input, and there is no source of items.
    #[error("no items for standard input")]
    NoItemsToRead,
    /// Results are to satisfy a schema, and output does not become results that could.
    #[error("a schema is for results that are JSON: have the output of units become that")]
    SchemaWithoutJson,
    /// A check is blank, and would find everything right.
    #[error("the check is blank: give a script that says whether what a unit made is right")]
    BlankCheck,
    /// A desktop is to be told, and there is none.
    #[error(
        "there is no desktop session to notify: none of DBUS_SESSION_BUS_ADDRESS, DISPLAY and WAYLAND_DISPLAY is set"
    )]
    NoDesktop,
    /// Messages are to be signed, and this program cannot.
    #[error(
        "JOB_MANAGER_NOTIFY_KEY is set, and this program was built without the feature notify, which is needed to sign messages"
    )]
    CannotSign,
    /// The schema cannot be used.
    #[error("cannot use the schema")]
    Schema(#[source] SchemaError),
    /// Units of several items cannot have keys.
    #[error("a unit of several items has no key, each of them would need one")]
    KeyOfSeveral,
    /// Units of several items cannot have limits of their own.
    #[error("a time, slots or a group of each item's own need units of one item, these have several: give one for all")]
    LimitsOfSeveral,
    /// Items are grouped, and there is no source of them.
    #[error("no items to be joined to units")]
    NoItemsToGroup,
    /// A unit takes as many items as fit, and the command uses none.
    #[error(
        "no end of the items of a unit: the command is to be filled and does not use them; write {{}} where they belong"
    )]
    NothingToFill,
    /// The job takes combinations of items, or single ones, and these are the other.
    #[error("job {job} takes {}, and these are not", if *is_combination { "combinations of the items of several lists" } else { "single items, no combinations" })]
    OtherForm {
        /// The job.
        job: JobId,
        /// Whether the job takes combinations.
        is_combination: bool,
    },
    /// The job takes whole commands, or items, and these are the other.
    #[error("job {job} takes {}", if *are_commands { "whole commands, and these are items" } else { "items, and these are whole commands" })]
    OtherKind {
        /// The job.
        job: JobId,
        /// Whether the job takes whole commands.
        are_commands: bool,
    },
    /// The key of a unit begins as those of the job's own units do.
    #[error("{place}: the unit's key begins with \"job-manager:\", choose another")]
    KeyReserved {
        /// Where the item came from.
        place: String,
    },
    /// The units of a job are known by another template than the one that was given.
    #[error("{}", other_unit_key(*job, recorded, given))]
    OtherUnitKey {
        /// The job.
        job: JobId,
        /// The template that the job has.
        recorded: String,
        /// What was given.
        given: String,
    },
    /// The program cannot be run.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The shell of scripts cannot be used.
    #[error("{} cannot be the shell of scripts: {reason}", path.display())]
    NotAShell {
        /// The path.
        path: PathBuf,
        /// Why not.
        reason: ShellFault,
    },
    /// A script is one argument.
    #[error("a script for the shell is one argument, this is {given}")]
    ShellArguments {
        /// What was given.
        given: usize,
    },
    /// The variable is the manager's own.
    #[error("variable {0}: what begins with JOB_MANAGER_ is about a manager or a unit, choose another name")]
    EnvReserved(String),
    /// A variable has two values.
    #[error("the variable {0} is given two values, give one")]
    EnvTwice(String),
    /// What is given as the job's place in a trace is none.
    #[error("variable {name} is {given:?}: {reason}")]
    Trace {
        /// The variable.
        name: &'static str,
        /// What was given.
        given: String,
        /// Why not.
        reason: TraceFault,
    },
    /// A variable that units need is not set here.
    #[error("variable {0}: no such variable in this environment")]
    EnvMissing(String),
    /// What names variables is no name.
    #[error("invalid name of a variable {0:?}")]
    EnvOnlyName(String),
    /// The value of a secret would stand in the database.
    #[error("variable {0}: a secret is not kept in the database; set it in this environment and give its name alone")]
    SecretValue(String),
    /// The directory of outputs is the same for all units.
    #[error(
        "directory of outputs {0}: a placeholder cannot stand there, the directory is the same for all units and its files are \
         named SEQ.ATTEMPT.out; literal braces are doubled"
    )]
    OutputDirTemplate(String),
    /// The directory of outputs cannot be written to.
    #[error("directory of outputs {}: cannot write there", path.display())]
    OutputDir {
        /// The path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The name of a variable is not one.
    #[error("invalid variable {0:?}, expected NAME or NAME=VALUE")]
    EnvName(String),
    /// The working directory cannot be told.
    #[error("cannot tell the working directory")]
    Cwd(#[source] io::Error),
    /// The working directory is gone.
    #[error("the directory that this is called in is gone: give an absolute path to run in")]
    NoWorkingDirectory(#[source] io::Error),
    /// The units have no place to run in.
    #[error("no directory {}, units cannot run there", .0.display())]
    NoDirectory(PathBuf),
}

fn other_unit_key(job: JobId, recorded: &str, given: &str) -> String {
    match recorded {
        "" => {
            format!("job {job} was created without keys of its units, they cannot be known by {given:?} now")
        }
        recorded => format!("job {job} knows its units by the key {recorded:?}, not {given:?}"),
    }
}
