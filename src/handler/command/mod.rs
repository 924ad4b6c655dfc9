//! The built-in handler: each unit is a process.

mod capture;
mod exits;
mod hook;
mod leftovers;
mod spec;

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::value::RawValue;

use super::template::{CommandTemplate, TemplateError, UnitValues};
use super::{Attempt, Callbacks, HandlerError, JobContext, Runner};
use crate::model::{AttemptEnd, Cause, NewUnit, Progress, Unit, UnitOutcome};
use crate::sys::{COOKIE_VARIABLE, SlotFile, UnitProcess, is_passing_spawn_error};

use capture::Capture;
use leftovers::{end_leftovers, is_vacated, occupy};

pub use exits::{ExitCodes, ExitMeaning};
pub use spec::{CommandSpec, OutputMode, ResultMode, StdinMode, ThenSpec, ThenWhen};

/// Name of the command handler in a job.
pub const COMMAND: &str = "command";
/// Payloads above this size are not put into the environment, which has limits of its own.
const PAYLOAD_VARIABLE_LIMIT_BYTES: usize = 32 * 1024;
const SHELL: &str = "/bin/sh";

/// Runs each unit as a process in a group of its own.
pub struct CommandHandler {
    spec: CommandSpec,
    template: CommandTemplate,
    /// Path that a unit makes.
    creates: Option<CommandTemplate>,
    /// Variables with the values that this process was started with.
    secrets: Vec<(String, OsString)>,
    cookie: String,
    db: PathBuf,
}

impl CommandHandler {
    /// Reads the settings of a job.
    pub fn new(job: &JobContext) -> Result<Self, HandlerError> {
        let wrong =
            |source: Box<dyn std::error::Error + Send + Sync>| HandlerError::Spec { name: COMMAND.to_owned(), source };
        let spec: CommandSpec = serde_json::from_str(&job.spec).map_err(|error| wrong(error.into()))?;
        let template = CommandTemplate::parse(&spec.argv).map_err(|error| wrong(error.into()))?;
        let creates = spec.creates.as_ref().map(|path| CommandTemplate::parse(std::slice::from_ref(path)));
        let creates = creates.transpose().map_err(|error| wrong(error.into()))?;
        let secrets = spec.secrets.iter().filter_map(|name| Some((name.clone(), env::var_os(name)?))).collect();
        Ok(Self { spec, template, creates, secrets, cookie: format!("{}:", job.uid), db: job.db.clone() })
    }

    fn command(&self, attempt: &Attempt<'_>, cookie: &str) -> Result<(Command, Vec<u8>), TemplateError> {
        let unit = attempt.unit;
        let values = UnitValues::parse(&unit.payload)?;
        let then = self.spec.then.as_ref().filter(|_| is_last(unit));
        let mut command = if let Some(then) = then {
            shell(&then.script)
        } else if self.spec.shell {
            shell(&self.template.render_shell(&values, attempt.slot, unit.id.seq())?)
        } else {
            let argv = self.template.render(&values, attempt.slot, unit.id.seq())?;
            let (name, args) = argv.split_first().ok_or(TemplateError::Empty)?;
            let mut command = Command::new(self.spec.program.as_deref().unwrap_or(Path::new(name)));
            command.arg0(name).args(args);
            command
        };
        if self.spec.env_only {
            command.env_clear().envs(self.secrets.iter().cloned());
        }
        // Only one that was given by name may say something else.
        command.env("PWD", &self.spec.cwd);
        command
            .current_dir(&self.spec.cwd)
            // These two are not set for every unit; those of a unit that this manager was started from are not ours.
            .env_remove("JOB_MANAGER_KEY")
            .env_remove("JOB_MANAGER_PAYLOAD")
            .envs(&self.spec.env)
            .env(COOKIE_VARIABLE, cookie)
            .env("JOB_MANAGER_DB", &attempt.job.db)
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
        if then.is_some() {
            command.envs(counts(&unit.payload));
        }
        let stdin = match self.spec.stdin {
            StdinMode::Null => Vec::new(),
            StdinMode::Payload => unit.payload.clone().into_bytes(),
            StdinMode::Item => values.item().as_bytes().to_vec(),
        };
        Ok((command, stdin))
    }

    /// Returns the path that this unit makes, if units of this job make one.
    fn made(&self, attempt: &Attempt<'_>) -> Result<Option<PathBuf>, TemplateError> {
        let Some(template) = self.creates.as_ref().filter(|_| !is_last(attempt.unit)) else { return Ok(None) };
        let values = UnitValues::parse(&attempt.unit.payload)?;
        let path = template.render(&values, attempt.slot, attempt.unit.id.seq())?.concat();
        Ok(Some(self.spec.cwd.join(path)))
    }

    /// Looks at what a command that ended well was to make and to say.
    fn completed(&self, made: Option<&Path>, stdout: Option<&str>) -> UnitOutcome {
        let incomplete = |error| UnitOutcome::Retry { cause: Cause::Failed, error, delay: None };
        if let Some(path) = made.filter(|path| !path.exists()) {
            return incomplete(format!("ended well and did not make {}", path.display()));
        }
        match self.spec.result {
            ResultMode::Text => UnitOutcome::Completed { result: None },
            ResultMode::Json => match serde_json::from_str::<&RawValue>(stdout.unwrap_or_default()) {
                Ok(document) => UnitOutcome::Completed { result: Some(document.get().to_owned()) },
                Err(error) => incomplete(format!("its standard output is no JSON document: {error}")),
            },
        }
    }
}

fn shell(script: &str) -> Command {
    let mut command = Command::new(SHELL);
    command.arg("-c").arg(script);
    command
}

/// Says whether a unit is the one that a job ends with.
fn is_last(unit: &Unit) -> bool {
    unit.key.as_deref().is_some_and(Unit::is_last_key)
}

/// Returns the counts in the last unit's payload as variables for it.
fn counts(payload: &str) -> Vec<(String, String)> {
    let counts: BTreeMap<String, i64> = serde_json::from_str(payload).unwrap_or_default();
    counts
        .into_iter()
        .map(|(name, count)| (format!("JOB_MANAGER_{}", name.to_uppercase()), count.to_string()))
        .collect()
}

impl Runner for CommandHandler {
    fn listeners(&self) -> Option<Callbacks> {
        let hook = self.spec.hook.as_ref()?;
        Some(hook::listeners(hook, &self.spec.cwd, &self.db))
    }

    fn last_unit(&self, progress: &Progress) -> Option<NewUnit> {
        self.spec.then.as_ref().filter(|then| then.when.holds(progress)).map(|_| NewUnit {
            payload: serde_json::to_string(progress).expect("counts are numbers"),
            key: Some(Unit::LAST_KEY.to_owned()),
        })
    }

    fn commits_each_unit(&self) -> bool {
        true
    }

    fn run(&self, attempt: &Attempt<'_>) -> AttemptEnd {
        let made = match self.made(attempt) {
            Ok(made) => made,
            Err(error) => return failed(Cause::NotStarted, error.to_string()),
        };
        // What an earlier attempt left there may be half of it.
        if let Some(path) = made.as_ref().filter(|path| !attempt.unit.came_back && path.exists()) {
            return UnitOutcome::Skipped { reason: format!("{} is there already", path.display()) }.into();
        }
        let cookie = format!("{}{}:{}:{};", self.cookie, attempt.unit.id.seq(), attempt.job.epoch, attempt.number);
        let (mut command, content) = match self.command(attempt, &cookie) {
            Ok(prepared) => prepared,
            Err(error) => return failed(Cause::NotStarted, error.to_string()),
        };
        let slot = SlotFile::at(attempt.job.files.slot(attempt.slot));
        let patience = attempt.limits.kill_after;
        let stdin = match occupy(&slot, &content, patience) {
            Ok(stdin) => stdin,
            Err(end) => return end,
        };
        let dir = self.spec.output_dir.as_deref();
        let captured = self.spec.output != OutputMode::None || dir.is_some();
        let mut capture = match Capture::open(attempt, self.spec.output, dir) {
            Ok(capture) => capture,
            Err(error) => return retry(Cause::NotStarted, format!("cannot keep the output: {error}")),
        };
        let process = match UnitProcess::spawn(&mut command, &stdin, captured) {
            Ok(process) => process,
            Err(error) => return not_started(&self.spec, &error),
        };
        // From here on only the unit's processes have the locked file.
        drop(stdin);
        let ending = process.supervise(attempt.limits.timeout, patience, attempt.stop, &mut capture);
        match ending {
            Ok(ending) => {
                // Thrown away, the output does not tell whether a process was left behind that holds it.
                if ending.leaked || (!captured && !is_vacated(&slot)) {
                    // What is left now has left the group too; its environment still gives it away.
                    if let Err(end) = end_leftovers(Some(&cookie), &slot, patience) {
                        return end;
                    }
                }
                let output = capture.into_output();
                let outcome = match self.spec.exits.judge(&ending, attempt.limits.timeout) {
                    UnitOutcome::Completed { .. } if !is_last(attempt.unit) => {
                        self.completed(made.as_deref(), output.stdout.as_deref())
                    }
                    other => other,
                };
                AttemptEnd { outcome, exit_code: ending.exit_code, signal: ending.signal, output }
            }
            Err(error) => failed(Cause::NeedsAttention, format!("cannot watch the command: {error}")),
        }
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
