//! The built-in handler: each unit is a process.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::tail::{OUTPUT_LIMIT_BYTES, Tail};
use super::template::{CommandTemplate, TemplateError, UnitValues};
use super::{Attempt, HandlerError, JobContext, Runner};
use crate::model::{AttemptEnd, Cause, Output, UnitOutcome};
use crate::sys::{
    COOKIE_VARIABLE, Ending, SlotError, SlotFile, Streams, UnitProcess, end_orphans, is_passing_spawn_error,
    signal_name,
};

/// Name of the command handler in a job.
pub const COMMAND: &str = "command";
/// Payloads above this size are not put into the environment, which has limits of its own.
const PAYLOAD_VARIABLE_LIMIT_BYTES: usize = 32 * 1024;
/// Time in which a slot may seem taken although nobody is left in it.
const SPAWN_WINDOW: Duration = Duration::from_millis(100);
const SHELL: &str = "/bin/sh";

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
    /// Variables added to the environment of the manager.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// What units read from their standard input.
    #[serde(default)]
    pub stdin: StdinMode,
    /// What is kept of the output of units.
    #[serde(default)]
    pub output: OutputMode,
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
    /// Nothing: it is thrown away, which saves about a twelfth of the cost of the shortest unit.
    None,
    /// The end of it.
    #[default]
    Tail,
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
            stdin: StdinMode::Null,
            output: OutputMode::Tail,
        }
    }
}

/// Runs each unit as a process in a group of its own.
pub struct CommandHandler {
    spec: CommandSpec,
    template: CommandTemplate,
    cookie: String,
}

impl CommandHandler {
    /// Reads the settings of a job.
    pub fn new(job: &JobContext) -> Result<Self, HandlerError> {
        let wrong =
            |source: Box<dyn std::error::Error + Send + Sync>| HandlerError::Spec { name: COMMAND.to_owned(), source };
        let spec: CommandSpec = serde_json::from_str(&job.spec).map_err(|error| wrong(error.into()))?;
        let template = CommandTemplate::parse(&spec.argv).map_err(|error| wrong(error.into()))?;
        Ok(Self { spec, template, cookie: format!("{}:", job.uid) })
    }

    fn command(&self, attempt: &Attempt<'_>, cookie: &str) -> Result<(Command, Vec<u8>), TemplateError> {
        let unit = attempt.unit;
        let values = UnitValues::parse(&unit.payload)?;
        let mut command = if self.spec.shell {
            let script = self.template.render_shell(&values, attempt.slot, unit.id.seq())?;
            let mut command = Command::new(SHELL);
            command.arg("-c").arg(script);
            command
        } else {
            let argv = self.template.render(&values, attempt.slot, unit.id.seq())?;
            let (name, args) = argv.split_first().ok_or(TemplateError::Empty)?;
            let mut command = Command::new(self.spec.program.as_deref().unwrap_or(Path::new(name)));
            command.arg0(name).args(args);
            command
        };
        command
            .current_dir(&self.spec.cwd)
            // These two are not set for every unit; those of a unit that this manager was started from are not ours.
            .env_remove("JOB_MANAGER_KEY")
            .env_remove("JOB_MANAGER_PAYLOAD")
            .envs(&self.spec.env)
            .env(COOKIE_VARIABLE, cookie)
            .env("JOB_MANAGER_JOB", attempt.job.id.to_string())
            .env("JOB_MANAGER_UNIT", unit.id.seq().to_string())
            .env("JOB_MANAGER_ATTEMPT", attempt.number.to_string())
            .env("JOB_MANAGER_SLOT", (attempt.slot + 1).to_string());
        if let Some(key) = &unit.key {
            command.env("JOB_MANAGER_KEY", key);
        }
        if unit.payload.len() <= PAYLOAD_VARIABLE_LIMIT_BYTES {
            command.env("JOB_MANAGER_PAYLOAD", &unit.payload);
        }
        let stdin = match self.spec.stdin {
            StdinMode::Null => Vec::new(),
            StdinMode::Payload => unit.payload.clone().into_bytes(),
            StdinMode::Item => values.item().as_bytes().to_vec(),
        };
        Ok((command, stdin))
    }
}

impl Runner for CommandHandler {
    fn commits_each_unit(&self) -> bool {
        true
    }

    fn run(&self, attempt: &Attempt<'_>) -> AttemptEnd {
        let cookie = format!("{}{}:{}:{};", self.cookie, attempt.unit.id.seq(), attempt.job.epoch, attempt.number);
        let (mut command, content) = match self.command(attempt, &cookie) {
            Ok(prepared) => prepared,
            Err(error) => return failed(Cause::NotStarted, error.to_string()),
        };
        let slot = SlotFile::at(attempt.job.files.slot(attempt.slot));
        let patience = attempt.job.limits.kill_after;
        let stdin = match occupy(&slot, &content, patience) {
            Ok(stdin) => stdin,
            Err(end) => return end,
        };
        let captured = self.spec.output != OutputMode::None;
        let process = match UnitProcess::spawn(command.stdin(stdin), captured) {
            Ok(process) => process,
            Err(error) => return not_started(&self.spec, &error),
        };
        // The command still holds our copy of the locked file; from here on only the unit's processes do.
        drop(command);
        let mut capture = Capture::new();
        let ending = process.supervise(attempt.job.limits.timeout, patience, attempt.stop, &mut capture);
        match ending {
            Ok(ending) => {
                // Thrown away, the output does not tell whether a process was left behind that holds it.
                if ending.leaked || (!captured && !is_vacated(&slot)) {
                    // What is left now has left the group too; its environment still gives it away.
                    if let Err(end) = end_leftovers(Some(&cookie), &slot, patience) {
                        return end;
                    }
                }
                AttemptEnd {
                    outcome: judge(&ending, attempt.job.limits.timeout),
                    exit_code: ending.exit_code,
                    signal: ending.signal,
                    output: capture.into_output(),
                }
            }
            Err(error) => failed(Cause::NeedsAttention, format!("cannot watch the command: {error}")),
        }
    }
}

/// Takes the slot's file; whoever of an earlier unit still holds it is ended first.
fn occupy(slot: &SlotFile, content: &[u8], patience: Duration) -> Result<File, AttemptEnd> {
    let asked = Instant::now();
    loop {
        match slot.occupy(content) {
            // A child that another worker is just starting has a copy of every descriptor until its exec.
            Err(SlotError::Occupied(_)) if asked.elapsed() < SPAWN_WINDOW => std::thread::sleep(SPAWN_WINDOW / 100),
            Err(SlotError::Occupied(_)) => break,
            taken => return taken.map_err(|error| retry(Cause::NotStarted, chain(&error))),
        }
    }
    end_leftovers(None, slot, patience)?;
    slot.occupy(content).map_err(|error| failed(Cause::NeedsAttention, chain(&error)))
}

/// Says whether a slot becomes free within the time that a process may take to let go of it.
fn is_vacated(slot: &SlotFile) -> bool {
    let asked = Instant::now();
    loop {
        match slot.is_free() {
            Ok(true) => return true,
            Ok(false) if asked.elapsed() < SPAWN_WINDOW => std::thread::sleep(SPAWN_WINDOW / 100),
            // One that cannot be looked at is looked at again, with its reason, before the next unit gets it.
            Ok(false) | Err(_) => return false,
        }
    }
}

/// Ends processes that a unit left behind; a unit is not done, and its slot not free, as long as one of them lives.
fn end_leftovers(cookie: Option<&str>, slot: &SlotFile, patience: Duration) -> Result<(), AttemptEnd> {
    match end_orphans(cookie, slot.path(), patience) {
        Ok((_, true)) => Ok(()),
        Ok((_, false)) => Err(failed(Cause::NeedsAttention, "a process it left behind cannot be ended".to_owned())),
        Err(error) => Err(failed(Cause::NeedsAttention, format!("cannot end processes it left behind: {error}"))),
    }
}

fn judge(ending: &Ending, timeout: Option<Duration>) -> UnitOutcome {
    if ending.stopped {
        return UnitOutcome::Interrupted;
    }
    let (cause, error) = match (ending.exit_code, ending.signal) {
        _ if ending.timed_out => (Cause::TimedOut, format!("timed out after {:?}", timeout.unwrap_or_default())),
        (Some(0), _) => return UnitOutcome::Completed { result: None },
        (Some(code), _) => (Cause::Failed, format!("exited with code {code}")),
        (None, signal) => (Cause::Killed, killed_by(signal.unwrap_or_default())),
    };
    UnitOutcome::Retry { cause, error, delay: None }
}

fn killed_by(signal: i32) -> String {
    match signal_name(signal) {
        Some(name) => format!("killed by signal {signal} ({name})"),
        None => format!("killed by signal {signal}"),
    }
}

/// Tells failures of the moment from those that the next attempt would meet again.
fn not_started(spec: &CommandSpec, error: &io::Error) -> AttemptEnd {
    let program = spec.argv.first().map_or("", String::as_str);
    let message = if spec.cwd.is_dir() {
        format!("cannot start {program:?}: {error}")
    } else {
        format!("cannot start {program:?}: its working directory {} is missing", spec.cwd.display())
    };
    if is_passing_spawn_error(error) { retry(Cause::NotStarted, message) } else { failed(Cause::NotStarted, message) }
}

fn retry(cause: Cause, error: String) -> AttemptEnd {
    UnitOutcome::Retry { cause, error, delay: None }.into()
}

fn failed(cause: Cause, error: String) -> AttemptEnd {
    UnitOutcome::Failed { cause, error }.into()
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// The ends of both output streams.
struct Capture {
    stdout: Tail,
    stderr: Tail,
}

impl Capture {
    fn new() -> Self {
        Self { stdout: Tail::new(OUTPUT_LIMIT_BYTES), stderr: Tail::new(OUTPUT_LIMIT_BYTES) }
    }

    fn into_output(self) -> Output {
        Output { stdout: self.stdout.into_text(), stderr: self.stderr.into_text() }
    }
}

impl Streams for Capture {
    fn take_stdout(&mut self, bytes: &[u8]) {
        self.stdout.push(bytes);
    }

    fn take_stderr(&mut self, bytes: &[u8]) {
        self.stderr.push(bytes);
    }
}
