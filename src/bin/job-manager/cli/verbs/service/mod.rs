//! `service`: have the jobs of a database go on after a reboot, through a user unit of systemd.
//!
//! The plan is made without looking at anything; here it is carried out.

mod error;
mod plan;
mod systemd;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::{Args, ValueEnum};
use etcetera::BaseStrategy;
use job_manager::files::{create_given_dir, if_there};
use job_manager::host::{self, Linger};
use job_manager::submission::SubmissionError;
use serde_json::json;

use crate::cli::confirm::confirm;
use crate::cli::text::one_line;
use crate::cli::whole_file::write_whole;
use crate::cli::{CliError, Exit, Global, Output};

pub use error::ServiceError;
use plan::{MARK, Plan, RENEW, name_of};

/// Continue the interrupted jobs of this database whenever the machine starts: write, remove or show the systemd service that does it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager service install")]
pub struct Service {
    /// What to do
    #[arg(value_enum)]
    pub action: Action,
    /// Print the file that `install` would write, and write nothing
    #[arg(long)]
    pub print: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Action {
    /// Write the file and enable it; again, to bring it up to date
    Install,
    /// Disable it and remove the file
    Uninstall,
    /// Show where it is and whether it is enabled
    Status,
}

pub fn service(global: &Global, args: &Service, output: &mut Output) -> Result<Exit, CliError> {
    let db = database(global)?;
    let plan = plan(global, &db)?;
    match args.action {
        Action::Install if args.print => {
            output.line(plan.text.trim_end())?;
            Ok(Exit::Success)
        }
        _ if args.print => Err(ServiceError::NothingToPrint.into()),
        Action::Install => {
            if !db.exists() {
                output.hint(format_args!(
                    "there is no database {} yet: until there is one, the service fails at every start",
                    one_line(&db.to_string_lossy())
                ));
            }
            install(global, &plan, output)
        }
        Action::Uninstall => uninstall(global, &plan, output),
        Action::Status => status(&plan, output),
    }
}

/// Returns the path by which the service opens the database: of one on a server, that of the file that stands for it here.
fn database(global: &Global) -> Result<PathBuf, CliError> {
    let given = global.db_path()?;
    #[cfg(feature = "postgres")]
    if job_manager::client::is_address(&given) {
        return Ok(global.read_client()?.path());
    }
    Ok(canonical(&given).map_err(SubmissionError::Cwd)?)
}

fn plan(global: &Global, db: &Path) -> Result<Plan, CliError> {
    let program = host::own_program().map_err(ServiceError::Program)?;
    let default = global.default_db().ok().and_then(|path| canonical(&path).ok());
    let name = name_of(db, default.as_deref());
    let dirs = etcetera::base_strategy::Xdg::new().map_err(|_| ServiceError::NoHome)?;
    Ok(systemd::plan(&dirs.config_dir(), &name, &program, db)?)
}

/// Returns the one path among all that lead to a file, so that a database has one service; the file need not be there.
/// Where its directory is not there either, the path is as it was given.
fn canonical(path: &Path) -> io::Result<PathBuf> {
    let path = std::path::absolute(path)?;
    let in_directory = || Some(fs::canonicalize(path.parent()?).ok()?.join(path.file_name()?));
    Ok(fs::canonicalize(&path).ok().or_else(in_directory).unwrap_or(path))
}

fn install(global: &Global, plan: &Plan, output: &mut Output) -> Result<Exit, CliError> {
    if !is_ours(&plan.file)?.unwrap_or(true) {
        confirm(global, &format!("replace {}, which job-manager has not written", plan.file.display()))?;
    }
    write(&plan.file, &plan.text).map_err(ServiceError::files("write", &plan.file))?;
    renew(output);
    let enable = plan.command("enable");
    carry_out(&enable).map_err(|said| {
        let (file, said) = (plan.file.clone(), one_line(&said));
        ServiceError::NotEnabled { file, renew: RENEW, enable, said }
    })?;
    let document = json!({ "schema": 1, "file": plan.file, "name": plan.name, "enabled": true });
    output.answer(&document, plan.file.display(), plan.file.display())?;
    if let Linger::Off { user, .. } = host::linger() {
        output.hint(format_args!(
            "it starts with your first login; `loginctl enable-linger {user}` has it start with the machine"
        ));
    }
    Ok(Exit::Success)
}

fn uninstall(global: &Global, plan: &Plan, output: &mut Output) -> Result<Exit, CliError> {
    match is_ours(&plan.file)? {
        None => return Err(ServiceError::NotInstalled(plan.file.clone()).into()),
        Some(true) => {}
        Some(false) => confirm(global, &format!("remove {}, which job-manager has not written", plan.file.display()))?,
    }
    let disabled = carry_out(&plan.command("disable"));
    for file in [&plan.link, &plan.file] {
        if_there(fs::remove_file(file)).map_err(ServiceError::files("remove", file))?;
    }
    // Without its file it starts no more, whatever the service manager has heard.
    renew(output);
    if let Err(said) = disabled {
        output.hint(format_args!("the file is removed, but the service manager was not told: {}", one_line(&said)));
    }
    let document = json!({ "schema": 1, "file": plan.file, "name": plan.name, "removed": true });
    output.answer(&document, plan.file.display(), plan.file.display())?;
    Ok(Exit::Success)
}

fn status(plan: &Plan, output: &mut Output) -> Result<Exit, CliError> {
    let installed = match is_ours(&plan.file)? {
        None => "no",
        Some(false) => "not by job-manager",
        Some(true) if read(&plan.file)?.as_deref() == Some(&plan.text) => "yes",
        Some(true) => "out of date, install it again",
    };
    let enabled = carry_out(&plan.command("is-enabled"));
    if output.json {
        output.document(&json!({
            "schema": 1, "file": plan.file, "name": plan.name, "installed": installed == "yes", "enabled": enabled.is_ok(),
        }))?;
    } else {
        output.line(format_args!("file       {}", plan.file.display()))?;
        output.line(format_args!("installed  {installed}"))?;
        match &enabled {
            Ok(()) => output.line("enabled    yes")?,
            Err(said) => output.line(format_args!("enabled    no ({})", one_line(said)))?,
        }
    }
    Ok(if installed == "yes" && enabled.is_ok() { Exit::Success } else { Exit::NotFound })
}

/// Has the service manager look again. None may run, as in the image of a machine: it looks when it starts.
fn renew(output: &mut Output) {
    if let Err(said) = carry_out(RENEW) {
        output.detail(format_args!("{RENEW}: {}", one_line(&said)));
    }
}

/// Returns `true` if a file was written by this program; none when there is no such file.
fn is_ours(file: &Path) -> Result<Option<bool>, ServiceError> {
    Ok(read(file)?.map(|text| text.contains(MARK)))
}

fn read(file: &Path) -> Result<Option<String>, ServiceError> {
    let bytes = if_there(fs::read(file)).map_err(ServiceError::files("read", file))?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// Writes a file whole or not at all, in a directory that is made if there is none.
fn write(file: &Path, text: &str) -> io::Result<()> {
    create_given_dir(file.parent().unwrap_or(Path::new(".")))?;
    write_whole(file, text)
}

/// Runs a command of a plan; when it fails, returns what it said.
fn carry_out(line: &str) -> Result<(), String> {
    let (program, args) = line.split_once(' ').unwrap_or((line, ""));
    let mut command = Command::new(program);
    host::reach_user_manager(&mut command);
    let ran =
        command.args(args.split(' ')).stdin(Stdio::null()).output().map_err(|error| format!("{program}: {error}"))?;
    if ran.status.success() {
        return Ok(());
    }
    let said = [ran.stderr, ran.stdout].map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
    Err(said.into_iter().find(|text| !text.is_empty()).unwrap_or_else(|| ran.status.to_string()))
}
