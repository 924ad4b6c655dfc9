//! How the units of a job of commands run: what is kept as the job's settings.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::exits::ExitCodes;
use super::notify::Notify;
use super::variables::{self, Variables};
use crate::handler::template::ItemForm;
use crate::model::{Progress, RawText, raw_path, words};

/// How the command handler runs the units of a job; kept as JSON in the job.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CommandSpec {
    /// The command, with placeholders; each element gives exactly one argument.
    pub argv: Vec<RawText>,
    /// The program found for the first element when the job was made; none when that holds a placeholder.
    #[serde(default, with = "raw_path::optional")]
    pub program: Option<PathBuf>,
    /// Whether the single element of `argv` is a script for the shell, its placeholders quoted.
    #[serde(default)]
    pub shell: bool,
    /// The program that runs that script and the one of `then`; /bin/sh when there is none.
    #[serde(default, with = "raw_path::optional")]
    pub shell_path: Option<PathBuf>,
    /// Working directory of the units, and of those for which `cwd_template` gives a relative path the base.
    #[serde(with = "raw_path")]
    pub cwd: PathBuf,
    /// Template of each unit's own working directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd_template: Option<RawText>,
    /// Variables of the units, added to those of the manager unless `env_only`.
    #[serde(default, with = "variables")]
    pub env: Variables,
    /// Variables whose values are templates.
    #[serde(default, skip_serializing_if = "Variables::is_empty", with = "variables")]
    pub env_templates: Variables,
    /// Names of the variables that were given, not only found in an environment; unknown for jobs of older versions.
    pub env_given: Option<Vec<RawText>>,
    /// Template of the key of each unit, by which the units of a source are known again; empty when units have no keys,
    /// unknown for jobs of older versions and of programs that give keys themselves.
    pub unit_key: Option<RawText>,
    /// Units have no variables but those of `env`, `secrets` and the manager's own about the unit.
    #[serde(default)]
    pub env_only: bool,
    /// Variables whose values are the manager's, which has them from whoever started it; they are not kept.
    #[serde(default)]
    pub secrets: Vec<RawText>,
    /// Those of them without which the job is not started.
    #[serde(default)]
    pub required_secrets: Vec<RawText>,
    /// How the payloads of units hold their items.
    #[serde(default, skip_serializing_if = "ItemForm::is_one_item")]
    pub items: ItemForm,
    /// Whether the items are commands, each a script of its own; unknown for jobs of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub are_commands: Option<bool>,
    /// What units read from their standard input.
    #[serde(default)]
    pub stdin: StdinMode,
    /// What is kept of the output of units.
    #[serde(default)]
    pub output: OutputMode,
    /// Directory in which each attempt has files of its own for its output, named `SEQ.ATTEMPT.out` and `.err`.
    #[serde(default, with = "raw_path::optional")]
    pub output_dir: Option<PathBuf>,
    /// What exit codes mean.
    #[serde(default)]
    pub exits: ExitCodes,
    /// Template of a path: a unit for which it exists is skipped, and one that completes must have made it.
    pub creates: Option<RawText>,
    /// Whether what an attempt without success left at that path stays, for the next one to go on with.
    #[serde(default)]
    pub keep_partial: bool,
    /// Whether `{out}` in the command is the name under which an attempt makes what `creates` names; set by whoever creates a job.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) out: bool,
    /// What becomes the result of a unit.
    #[serde(default)]
    pub result: ResultMode,
    /// A script for the shell, a template, that looks at what a command which ended well has made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<RawText>,
    /// A JSON Schema, of the form 2020-12, that results satisfy which are JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// What runs as the job's last unit, when all others have ended.
    pub then: Option<ThenSpec>,
    /// Program that is told of failed units and of the end or the pause of the job.
    #[serde(default, with = "raw_path::optional")]
    pub hook: Option<PathBuf>,
    /// Who else is told of the first failed unit, and of the end or the pause of the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    /// The span that the job is created in, where another one was given than that of the submitter; kept beside the settings.
    #[cfg(feature = "sources")]
    #[serde(skip)]
    pub(crate) trace: Option<crate::model::TraceContext>,
}

/// What runs when all other units have ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThenSpec {
    /// A script for the shell; the counts of the job are in its environment.
    pub script: RawText,
    /// Under which condition.
    pub when: ThenWhen,
}

/// The condition of a last unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ThenWhen {
    /// Every unit completed or was skipped.
    Success,
    /// However they ended.
    Always,
    /// Some unit failed or was cancelled.
    Failure,
}

words!(ThenWhen, "condition", { Success => "success", Always => "always", Failure => "failure" });

impl ThenWhen {
    /// Returns `true` if the condition holds.
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StdinMode {
    /// Nothing.
    #[default]
    Null,
    /// The payload, as JSON.
    Payload,
    /// The item, as text.
    Item,
}

words!(StdinMode, "standard input", { Null => "null", Payload => "payload", Item => "item" });

/// What is kept of a unit's output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OutputMode {
    /// Nothing: it is thrown away, which saves two pipes.
    None,
    /// The end of it.
    #[default]
    Tail,
    /// All of it, beside the database; the end of it in the database too.
    Full,
}

words!(OutputMode, "amount of output", { None => "none", Tail => "tail", Full => "full" });

/// What becomes the result of a unit whose command wrote to its standard output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultMode {
    /// Nothing; what is kept of the output for display is shown in its place.
    // Databases have it under the name of a time when there were two.
    #[default]
    #[serde(rename = "text")]
    Output,
    /// All of the text, without the line break at its end.
    #[serde(rename = "whole_text")]
    Text,
    /// The text as one JSON document; a unit whose output is none has failed.
    Json,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference over")]
fn is_false(value: &bool) -> bool {
    !value
}

impl CommandSpec {
    /// Reads the settings of a job of commands.
    ///
    /// # Errors
    /// When they are not what this version reads.
    pub fn of_json(text: &str) -> Result<CommandSpec, serde_json::Error> {
        // An array would be read as fields in their order.
        if !text.trim_start().starts_with('{') {
            return Err(serde::de::Error::custom("it is no JSON object"));
        }
        serde_json::from_str(text)
    }

    /// Returns `true` if anything of what units write is read.
    pub(crate) fn is_heard(&self) -> bool {
        self.output != OutputMode::None || self.output_dir.is_some() || self.is_whole_wanted()
    }

    /// Returns `true` if all of standard output is wanted, as a result or for a check to look at.
    pub(super) fn is_whole_wanted(&self) -> bool {
        self.result != ResultMode::Output || self.check.is_some()
    }

    /// Describes a command that runs in `cwd`.
    pub fn new(argv: impl IntoIterator<Item = impl Into<RawText>>, cwd: PathBuf) -> Self {
        Self { argv: argv.into_iter().map(Into::into).collect(), cwd, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::{OsStr, OsString};
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn bytes_in_every_place_of_a_command_survive_its_json() {
        let raw = |text: &[u8]| OsString::from_vec(text.to_owned());
        let mut spec = CommandSpec::new([RawText::from(&b"p\xff"[..]), "x".into()], raw(b"/d\xfe").into());
        spec.program = Some(raw(b"/p\xff").into());
        spec.cwd_template = Some(RawText::from(&b"{}\xfd"[..]));
        spec.env.insert(raw(b"N"), raw(b"v\xfc"));
        spec.env_templates.insert(raw(b"N\xfb"), raw(b"{}"));
        spec.secrets = vec![RawText::from(&b"S_KEY\xfa"[..])];
        spec.output_dir = Some(raw(b"/o\xf9").into());
        spec.creates = Some(RawText::from(&b"c\xf8"[..]));
        spec.hook = Some(raw(b"/h\xf7").into());
        spec.then = Some(ThenSpec { script: RawText::from(&b"t\xf6"[..]), when: ThenWhen::Always });

        let json = serde_json::to_string(&spec).unwrap();
        let back: CommandSpec = serde_json::from_str(&json).unwrap();

        assert_eq!(format!("{back:?}"), format!("{spec:?}"));
    }

    #[test]
    fn a_command_of_an_older_database_is_read() {
        let json = r#"{"argv":["echo","{}"],"program":"/bin/echo","cwd":"/tmp","env":{"A":"b"},"secrets":["K"],
            "hook":null,"creates":"x","then":{"script":"true","when":"always"}}"#;

        let spec: CommandSpec = serde_json::from_str(json).unwrap();

        assert_eq!(spec.argv, ["echo".into(), "{}".into()]);
        assert_eq!(spec.program, Some("/bin/echo".into()));
        assert_eq!(spec.env.get(OsStr::new("A")), Some(&OsString::from("b")));
        assert_eq!(serde_json::to_value(&spec).unwrap()["env"], serde_json::json!({ "A": "b" }));
    }
}
