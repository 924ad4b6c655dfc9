//! What an attempt is given: its command, its input, its variables.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::beside::out_of;
use super::prepared::{Prepared, is_last};
use super::start::SHELL;
use super::{CommandHandler, StdinMode};
use crate::handler::Attempt;
use crate::handler::template::{TemplateError, UnitValues};
use crate::model::RawText;
use crate::sys::{COOKIE_VARIABLE, UnitCommand};

/// Payloads above this size are not put into the environment, which has limits of its own.
const PAYLOAD_VARIABLE_LIMIT_BYTES: usize = 32 * 1024;

impl CommandHandler {
    /// Prepares one attempt: its command, what it reads, and the path that it makes.
    pub(super) fn prepare(&self, attempt: &Attempt<'_>, cookie: &str) -> Result<Prepared, TemplateError> {
        let payload = &attempt.unit.payload;
        let mut values =
            if is_last(attempt.unit) { UnitValues::parse(payload)? } else { self.templates.values(payload)? };
        let prepared = self.prepare_with(&mut values, attempt, cookie);
        prepared.map_err(|error| self.templates.explain(error, &values))
    }

    fn prepare_with(
        &self,
        values: &mut UnitValues<'_>,
        attempt: &Attempt<'_>,
        cookie: &str,
    ) -> Result<Prepared, TemplateError> {
        let (unit, seq) = (attempt.unit, attempt.unit.id.seq());
        let then = self.spec.then.as_ref().filter(|_| is_last(unit));
        let made = if then.is_some() { None } else { self.templates.creates(values, attempt.slot, seq)? };
        let out = made.as_deref().filter(|_| self.spec.out).map(|path| out_of(path, attempt, self.spec.keep_partial));
        if let Some(out) = &out {
            values.set_out(out.as_os_str().as_bytes());
        }
        let values = &*values;
        let template = self.templates.command();
        // The last unit is of no item: it runs where relative directories of units begin.
        let cwd = if then.is_some() { self.spec.cwd.clone() } else { self.templates.cwd(values, attempt.slot, seq)? };
        let mut command = if let Some(then) = then {
            self.shell(then.script.as_os_str(), cwd)
        } else if self.spec.shell {
            self.shell(template.render_shell(values, attempt.slot, seq)?.as_os_str(), cwd)
        } else {
            let argv: Vec<OsString> =
                template.render(values, attempt.slot, seq)?.into_iter().map(OsString::from).collect();
            let name = argv.first().ok_or(TemplateError::Empty)?;
            let program = self.spec.program.clone().unwrap_or_else(|| PathBuf::from(name));
            UnitCommand::new(program, argv, cwd, &self.environment)
        };
        let pwd = command.cwd.clone();
        command.set_default("PWD", pwd);
        if let (Some(trace), Some(parent)) = (&attempt.job.trace, attempt.traceparent()) {
            trace.variables(parent).for_each(|(name, value)| command.set_default(name, value));
        }
        if then.is_some() {
            counts(&unit.payload).into_iter().for_each(|(name, value)| command.set(name, value));
        } else {
            let rendered = self.templates.env(values, attempt.slot, seq)?;
            rendered.into_iter().for_each(|(name, value)| command.set(name, value));
        }
        command.set(COOKIE_VARIABLE, cookie);
        command.set("JOB_MANAGER_DB", &attempt.job.database.path);
        command.set("JOB_MANAGER_JOB", attempt.job.id.to_string());
        command.set("JOB_MANAGER_UNIT", seq.to_string());
        command.set("JOB_MANAGER_ATTEMPT", attempt.number.to_string());
        command.set("JOB_MANAGER_TOKEN", attempt.token());
        command.set("JOB_MANAGER_SLOT", (attempt.slot + 1).to_string());
        if let Some(key) = &unit.key {
            command.set("JOB_MANAGER_KEY", RawText::of_column(key).as_os_str());
        }
        if unit.payload.len() <= PAYLOAD_VARIABLE_LIMIT_BYTES {
            command.set("JOB_MANAGER_PAYLOAD", &unit.payload);
        }
        let stdin = match self.spec.stdin {
            StdinMode::Null => Vec::new(),
            StdinMode::Payload => unit.payload.clone().into_bytes(),
            StdinMode::Item => values.input()?.into_owned(),
        };
        let check = match then {
            Some(_) => None,
            None => self.templates.check_script(values, attempt.slot, seq)?,
        };
        // The check has all that the command has.
        let check = check.map(|script| {
            let UnitCommand { program, argv, .. } = self.shell(&script, command.cwd.clone());
            let mut check = command.clone();
            (check.program, check.argv) = (program, argv);
            check
        });
        Ok(Prepared { command, stdin, made, out, check })
    }

    fn shell(&self, script: &OsStr, cwd: PathBuf) -> UnitCommand {
        let shell = self.spec.shell_path.as_deref().unwrap_or(Path::new(SHELL));
        let argv = [shell.as_os_str(), OsStr::new("-c"), script].map(OsStr::to_owned).to_vec();
        UnitCommand::new(shell.to_owned(), argv, cwd, &self.environment)
    }
}

/// Returns the counts in the last unit's payload as variables for it.
fn counts(payload: &str) -> Vec<(String, String)> {
    let counts: BTreeMap<String, i64> = serde_json::from_str(payload).unwrap_or_default();
    counts
        .into_iter()
        .map(|(name, count)| (format!("JOB_MANAGER_{}", name.to_uppercase()), count.to_string()))
        .collect()
}
