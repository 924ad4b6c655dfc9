//! The command of a job's units: where it runs, with which program and in which environment.

use std::env;
use std::path::{Path, PathBuf};

use super::SubmissionError;
use super::environment::Environment;
use crate::handler::{COMMAND, CommandSpec, CommandTemplate, UnitValues, resolve_program};
use crate::model::{Job, UnitDetail};

/// Checks a command and takes what it needs from this process: its directory unless `cwd` says another one, its search
/// path, its environment with the variables that are `given` as NAME or NAME=VALUE, without those to `forget`.
///
/// # Errors
/// When the command is no template, its program cannot be run, or the directory is not there.
pub fn command_spec(
    argv: &[String],
    shell: bool,
    cwd: Option<&Path>,
    given: &[String],
    forget: &[&str],
) -> Result<CommandSpec, SubmissionError> {
    let template = CommandTemplate::parse(argv)?;
    let here = env::current_dir().map_err(SubmissionError::Cwd)?;
    let cwd = cwd.map_or_else(|| here.clone(), |cwd| here.join(cwd));
    if !cwd.is_dir() {
        return Err(SubmissionError::NoDirectory(cwd));
    }
    let mut spec = CommandSpec::new(argv.to_vec(), cwd);
    spec.shell = shell;
    if shell {
        if argv.len() != 1 {
            return Err(SubmissionError::ShellArguments { given: argv.len() });
        }
        template.check_script()?;
    } else if let Some(name) = template.literal_program() {
        spec.program = Some(find_program(name, &spec.cwd)?);
    }
    let environment = Environment::capture(env::vars_os(), given, forget)?;
    (spec.env_only, spec.env) = (true, environment.variables);
    (spec.secrets, spec.required_secrets) = (environment.secrets, environment.required_secrets);
    Ok(spec)
}

/// Returns the command of a unit as it would be typed into a shell; none for a job without commands.
pub fn command_of(job: &Job, unit: &UnitDetail) -> Option<String> {
    if job.handler != COMMAND {
        return None;
    }
    let spec: CommandSpec = serde_json::from_str(&job.spec).ok()?;
    let template = CommandTemplate::parse(&spec.argv).ok()?;
    template.line(spec.shell, &UnitValues::parse(&unit.payload).ok()?, unit.seq).ok()
}

/// Returns the path of a program, found as the shell that started this process would find it.
pub fn find_program(name: &str, cwd: &Path) -> Result<PathBuf, SubmissionError> {
    let search_path = env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    Ok(resolve_program(name, cwd, &search_path)?)
}
