//! The command of a job's units: where it runs, with which program and in which environment.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::SubmissionError;
use super::environment::Environment;
use crate::handler::{COMMAND, CommandSpec, Template, UnitTemplates, UnitValues, resolve_program};
use crate::model::{Job, RawText, UnitDetail};

/// Checks a command and takes what it needs from this process: its directory unless `cwd` says another one, its search
/// path, its environment with the variables that are `given` as NAME or NAME=VALUE, without those to `forget`.
///
/// `cwd` and the values of variables are templates, as the arguments are.
///
/// # Errors
/// When the command is no template, its program cannot be run, or the directory is not there.
pub fn command_spec(
    argv: &[OsString],
    shell: bool,
    cwd: Option<&OsStr>,
    given: &[OsString],
    forget: &[&str],
) -> Result<CommandSpec, SubmissionError> {
    if shell && argv.len() != 1 {
        return Err(SubmissionError::ShellArguments { given: argv.len() });
    }
    let mut spec =
        CommandSpec::new(argv.iter().map(OsString::as_os_str), env::current_dir().map_err(SubmissionError::Cwd)?);
    spec.shell = shell;
    if let Some(cwd) = cwd {
        set_cwd(&mut spec, cwd)?;
    }
    let templates = UnitTemplates::of(&spec)?;
    if let Some(name) = templates.command().literal_program().filter(|_| !shell) {
        // What it is relative to is known only with a unit, when each has a directory of its own.
        let is_relative = name.as_bytes().contains(&b'/') && Path::new(name.as_os_str()).is_relative();
        if !(is_relative && spec.cwd_template.is_some()) {
            spec.program = Some(find_program(name.as_os_str(), &spec.cwd)?);
        }
    }
    let environment = Environment::capture(env::vars_os(), given, forget)?;
    spec.env_only = true;
    (spec.env, spec.env_templates) = (environment.variables, environment.templates);
    (spec.secrets, spec.required_secrets) = (environment.secrets, environment.required_secrets);
    Ok(spec)
}

/// Sets the working directory: one for all units must be there, one that depends on the unit is looked for when it runs.
fn set_cwd(spec: &mut CommandSpec, cwd: &OsStr) -> Result<(), SubmissionError> {
    let template = RawText::from(cwd);
    let Some(literal) = Template::parse(&template)?.literal().map(|cwd| RawText::from(cwd.as_ref())) else {
        spec.cwd_template = Some(template);
        return Ok(());
    };
    let path = spec.cwd.join(literal.as_os_str());
    if literal.as_bytes().is_empty() || !path.is_dir() {
        return Err(SubmissionError::NoDirectory(OsString::from(literal).into()));
    }
    spec.cwd = path;
    Ok(())
}

/// Returns the directory for the output of all units: it is one, whose files have the numbers of their units.
pub fn output_dir(spec: &CommandSpec, given: &OsStr) -> Result<PathBuf, SubmissionError> {
    match Template::parse(&given.into())?.literal() {
        Some(dir) => Ok(spec.cwd.join(OsStr::from_bytes(&dir))),
        None => Err(SubmissionError::OutputDirTemplate(given.to_string_lossy().into_owned())),
    }
}

/// Returns the command of a unit as it would be typed into a shell; none for a job without commands.
pub fn command_of(job: &Job, unit: &UnitDetail) -> Option<String> {
    if job.handler != COMMAND {
        return None;
    }
    let spec: CommandSpec = serde_json::from_str(&job.spec).ok()?;
    UnitTemplates::of(&spec).ok()?.line(&UnitValues::parse(&unit.payload).ok()?, unit.seq).ok()
}

/// Returns the path of a program, found as the shell that started this process would find it.
pub fn find_program(name: &OsStr, cwd: &Path) -> Result<PathBuf, SubmissionError> {
    let search_path = env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    Ok(resolve_program(name, cwd, &search_path)?)
}
