//! How the units of a batch are run, as far as it is allowed.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use job_manager::handler::{CommandSpec, ResultMode, ThenSpec, ThenWhen};
use job_manager::model::RawText;
use job_manager::submission::{Scripts, Several, SubmissionError, command_spec, find_program, find_shell, output_dir};
use job_manager::text::printable;

use super::Batch;
use super::options::{Condition, Options, Outcome};
use crate::mcp::ToolError;
use crate::mcp::allowed::Allowed;
use crate::mcp::answer::beginning;
use crate::mcp::questions::Question;

/// Most characters of a command in a question.
const COMMAND_CHARS: usize = 500;

impl Batch {
    pub(super) fn spec(&self, argv: &[OsString], is_script: bool, allowed: &Allowed) -> Result<CommandSpec, ToolError> {
        let options = &self.options;
        let cwd = self.directory(allowed)?;
        if is_script {
            allowed.expect_shell("shell")?;
        } else if let Some(word) = argv.first() {
            allowed.expect_word(&word.to_string_lossy(), &cwd)?;
        }
        options.env.iter().try_for_each(|given| allowed.expect_variable(given))?;
        let env: Vec<OsString> = options.env.iter().map(OsString::from).collect();
        let mut spec = command_spec(argv, is_script, self.cwd.as_deref().map(OsStr::new), &env, None, &[])?;
        if spec.cwd_template.is_none() {
            // What was judged, not what it may have become.
            spec.cwd = cwd;
        }
        if let Some(name) = &options.shell_path {
            if !is_script {
                return Err(ToolError::Incomplete { given: "shell_path", missing: "shell" });
            }
            spec.shell_path = Some(find_shell(OsStr::new(name), &spec.cwd, Scripts::WithValues)?);
        }
        let several = options.items_per_unit.filter(|items| items.get() > 1);
        spec.items.several = several.map(|items| Several { at_most: Some(items), as_fit: false });
        options.apply(&mut spec, allowed)?;
        allowed.expect_spec(&spec)?;
        Ok(spec)
    }

    /// Returns what a person is asked about the command, where it is one that is there and is not allowed.
    pub fn question(&self, allowed: &Allowed) -> Option<Question> {
        let command = self.command.as_ref()?;
        let word = command.first()?;
        let place = allowed.refused_place(word, &self.directory(allowed).ok()?)?;
        let shown = beginning(&printable(&command.join(" ")), COMMAND_CHARS);
        let text = format!(
            "The model wants to run this for each of its items: {shown}. {} is none of the commands that this server may run. \
             Shall it run {}, with whatever arguments, with your rights, until this server ends?",
            printable(word),
            place.display()
        );
        Some(Question { text, allows: Some((word.clone(), place)) })
    }

    /// Returns the directory of the units, or the one of this server where each has its own.
    fn directory(&self, allowed: &Allowed) -> Result<PathBuf, ToolError> {
        match &self.cwd {
            Some(cwd) if Path::new(cwd).is_relative() => Err(ToolError::RelativeCwd(cwd.clone())),
            Some(cwd) if !cwd.contains(['{', '}']) => Ok(allowed.expect_path("cwd", Path::new(cwd))?),
            _ => {
                let here = env::current_dir().map_err(SubmissionError::NoWorkingDirectory)?;
                Ok(if self.cwd.is_none() { allowed.expect_path("cwd", &here)? } else { here })
            }
        }
    }
}

impl Options {
    fn apply(&self, spec: &mut CommandSpec, allowed: &Allowed) -> Result<(), ToolError> {
        for (parameter, script) in [("then", &self.then), ("check", &self.check)] {
            if script.is_some() {
                allowed.expect_shell(parameter)?;
            }
        }
        if self.then.is_none() && self.then_when.is_some() {
            return Err(ToolError::Incomplete { given: "then_when", missing: "then" });
        }
        let when = match self.then_when {
            Some(Condition::Success) => ThenWhen::Success,
            Some(Condition::Failure) => ThenWhen::Failure,
            Some(Condition::Always) | None => ThenWhen::Always,
        };
        spec.then = self.then.as_deref().map(|script| ThenSpec { script: RawText::from(script), when });
        spec.check = self.check.as_deref().map(RawText::from);
        spec.creates = self.creates.as_deref().map(RawText::from);
        spec.result = match self.result {
            Some(Outcome::Json) => ResultMode::Json,
            Some(Outcome::Text) => ResultMode::Text,
            None => ResultMode::default(),
        };
        if self.schema.is_some() && self.result != Some(Outcome::Json) {
            return Err(ToolError::Incomplete { given: "schema", missing: "result json" });
        }
        spec.schema.clone_from(&self.schema);
        if let Some(hook) = &self.hook {
            allowed.expect_word(hook, &spec.cwd)?;
            spec.hook = Some(find_program(hook.as_ref(), &spec.cwd)?);
        }
        if let Some(dir) = &self.output_dir {
            allowed.expect_path("output_dir", &spec.cwd.join(dir))?;
            spec.output_dir = Some(output_dir(spec, dir.as_ref())?);
        }
        Ok(())
    }
}
