//! How the units of a job of commands run: what is kept as the job's settings.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::exits::ExitCodes;
use crate::model::Progress;

/// How the command handler runs the units of a job; kept as JSON in the job.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CommandSpec {
    /// The command, with placeholders; each element gives exactly one argument.
    pub argv: Vec<String>,
    /// The program found for the first element when the job was made; none when that holds a placeholder.
    #[serde(default)]
    pub program: Option<PathBuf>,
    /// Whether the single element of `argv` is a script for the shell, its placeholders quoted.
    #[serde(default)]
    pub shell: bool,
    /// Working directory of the units.
    pub cwd: PathBuf,
    /// Variables of the units, added to those of the manager unless `env_only`.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Units have no variables but those of `env`, `secrets` and the manager's own about the unit.
    #[serde(default)]
    pub env_only: bool,
    /// Variables whose values are the manager's, which has them from whoever started it; they are not kept.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Those of them without which the job is not started.
    #[serde(default)]
    pub required_secrets: Vec<String>,
    /// What units read from their standard input.
    #[serde(default)]
    pub stdin: StdinMode,
    /// What is kept of the output of units.
    #[serde(default)]
    pub output: OutputMode,
    /// Directory in which each attempt has files of its own for its output, named `SEQ.ATTEMPT.out` and `.err`.
    #[serde(default)]
    pub output_dir: Option<PathBuf>,
    /// What exit codes mean.
    #[serde(default)]
    pub exits: ExitCodes,
    /// Template of a path: a unit for which it exists is left out, and one that completes must have made it.
    #[serde(default)]
    pub creates: Option<String>,
    /// What becomes the result of a unit.
    #[serde(default)]
    pub result: ResultMode,
    /// What runs as the job's last unit, when all others have ended.
    #[serde(default)]
    pub then: Option<ThenSpec>,
    /// Program that is told of failed units and of the end or the pause of the job.
    #[serde(default)]
    pub hook: Option<PathBuf>,
}

/// What runs when all other units have ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThenSpec {
    /// A script for the shell; the counts of the job are in its environment.
    pub script: String,
    /// Under which condition.
    pub when: ThenWhen,
}

/// The condition of a last unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThenWhen {
    /// Every unit completed or was left out.
    Success,
    /// However they ended.
    Always,
    /// Some unit failed or was cancelled.
    Failure,
}

impl ThenWhen {
    /// Says whether the condition holds.
    pub const fn holds(self, progress: &Progress) -> bool {
        let succeeded = progress.failed + progress.cancelled == 0;
        match self {
            Self::Success => succeeded,
            Self::Always => true,
            Self::Failure => !succeeded,
        }
    }
}

/// What a unit reads from its standard input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StdinMode {
    /// Nothing.
    #[default]
    Null,
    /// The payload, as JSON.
    Payload,
    /// The item, as text.
    Item,
}

/// What is kept of a unit's output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputMode {
    /// Nothing: it is thrown away, which saves two pipes.
    None,
    /// The end of it.
    #[default]
    Tail,
    /// All of it, beside the database; the end of it in the database too.
    Full,
}

/// What becomes the result of a unit whose command wrote to its standard output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultMode {
    /// The text as it is; it counts as output only.
    #[default]
    Text,
    /// The text as one JSON document; a unit whose output is none has failed.
    Json,
}

impl CommandSpec {
    /// Describes a command that runs in `cwd`.
    pub fn new(argv: Vec<String>, cwd: PathBuf) -> Self {
        Self {
            argv,
            program: None,
            shell: false,
            cwd,
            env: BTreeMap::new(),
            env_only: false,
            secrets: Vec::new(),
            required_secrets: Vec::new(),
            stdin: StdinMode::Null,
            output: OutputMode::Tail,
            output_dir: None,
            exits: ExitCodes::default(),
            creates: None,
            result: ResultMode::Text,
            then: None,
            hook: None,
        }
    }
}
