//! The command of a job's units: where it runs, with which program and in which environment.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::SubmissionError;
use super::environment::Environment;
use super::variable::name_of;
use crate::handler::{CommandSpec, Template, UnitTemplates, refuse_line_in_one_word, resolve_program};
use crate::model::RawText;
use crate::sys::expect_writable;

/// Checks a command and takes what it needs from this process: its directory unless `cwd` says another one, its search
/// path, its environment, or those variables of it that are `wanted`, with those that are `given` as NAME or NAME=VALUE and
/// without those to `forget`.
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
    wanted: Option<&[OsString]>,
    forget: &[&str],
) -> Result<CommandSpec, SubmissionError> {
    if shell && argv.len() != 1 {
        return Err(SubmissionError::ShellArguments { given: argv.len() });
    }
    let (cwd, cwd_template) = working_directory(cwd)?;
    let mut spec = CommandSpec::new(argv.iter().map(OsString::as_os_str), cwd);
    (spec.shell, spec.cwd_template) = (shell, cwd_template);
    let templates = UnitTemplates::of(&spec)?;
    if let Some(program) = spec.argv.first().filter(|_| !shell) {
        refuse_line_in_one_word(program.as_bytes(), &spec.cwd, &search_path())?;
    }
    if let Some(name) = templates.command().literal_program().filter(|_| !shell) {
        // What it is relative to is known only with a unit, when each has a directory of its own.
        let is_relative = name.as_bytes().contains(&b'/') && Path::new(name.as_os_str()).is_relative();
        if !(is_relative && spec.cwd_template.is_some()) {
            spec.program = Some(find_program(name.as_os_str(), &spec.cwd)?);
        }
    }
    let environment = Environment::capture(env::vars_os(), given, wanted, forget)?;
    spec.env_only = true;
    (spec.env, spec.env_templates) = (environment.variables, environment.templates);
    spec.trace = environment.trace;
    let by_name = wanted.into_iter().flatten().map(OsString::as_os_str);
    let names = given.iter().map(|variable| name_of(variable)).chain(by_name);
    spec.env_given = Some(names.map(RawText::from).collect());
    (spec.secrets, spec.required_secrets) = (environment.secrets, environment.required_secrets);
    Ok(spec)
}

/// Returns the working directory of the units, and a template if each has one of its own below it.
///
/// One for all units must be there; one that depends on the unit is looked for when it runs. Only a relative one needs the
/// directory of this process, which may have been deleted.
fn working_directory(given: Option<&OsStr>) -> Result<(PathBuf, Option<RawText>), SubmissionError> {
    let here = || env::current_dir().map_err(SubmissionError::NoWorkingDirectory);
    let Some(given) = given else { return Ok((here()?, None)) };
    let (text, is_absolute) = (RawText::from(given), Path::new(given).is_absolute());
    let template = Template::parse(&text)?;
    let Some(literal) = template.literal() else {
        let base = if is_absolute { PathBuf::from("/") } else { here()? };
        return Ok((base, Some(text)));
    };
    let literal = Path::new(OsStr::from_bytes(&literal)).to_owned();
    let path = if literal.is_absolute() { literal.clone() } else { here()?.join(&literal) };
    if literal.as_os_str().is_empty() || !path.is_dir() {
        return Err(SubmissionError::NoDirectory(literal));
    }
    Ok((path, None))
}

/// Returns the directory for the output of all units: it is one, whose files have the numbers of their units.
///
/// # Errors
/// When it holds a placeholder, or is neither there nor can be made there.
pub fn output_dir(spec: &CommandSpec, given: &OsStr) -> Result<PathBuf, SubmissionError> {
    let template = Template::parse(&given.into())?;
    let Some(dir) = template.literal() else {
        return Err(SubmissionError::OutputDirTemplate(given.to_string_lossy().into_owned()));
    };
    let path = spec.cwd.join(OsStr::from_bytes(&dir));
    let there = path.ancestors().find(|path| path.symlink_metadata().is_ok()).unwrap_or(Path::new("/"));
    let writable = if there.is_dir() { expect_writable(there) } else { Err(io::ErrorKind::NotADirectory.into()) };
    match writable {
        Ok(()) => Ok(path),
        Err(source) => Err(SubmissionError::OutputDir { path, source }),
    }
}
/// Returns the path of a program, found as the shell that started this process would find it.
pub fn find_program(name: &OsStr, cwd: &Path) -> Result<PathBuf, SubmissionError> {
    Ok(resolve_program(name, cwd, &search_path())?)
}

fn search_path() -> OsString {
    env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into())
}
