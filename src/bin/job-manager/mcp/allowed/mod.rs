//! What a host's model may use of this machine: directories, commands, a shell.
//!
//! A model does what texts tell it that it reads, and some hosts let it call tools without asking. So files are read,
//! and commands run, only where whoever entered the server into the host allowed it. Paths are judged where they lead,
//! with links and `..` resolved, and what is opened is the path that was judged. What an allowed command does with its
//! arguments is its own: one that runs others, such as an interpreter, allows everything.
//!
//! Known weaknesses: a path that changes between the look at it and its use is found by neither, a file with a second name
//! inside an allowed directory is inside.

mod command;
mod directories;
mod error;
mod source;
mod variables;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use job_manager::handler::CommandSpec;
use job_manager::model::RawText;
use serde::Serialize;

use command::Commands;
use directories::Directories;

pub use error::AllowError;
pub(super) use error::Refused;

/// What was allowed, as flags.
#[derive(Debug, Clone, Default)]
pub struct AllowFlags {
    /// Directories; none for the default.
    pub dirs: Vec<PathBuf>,
    /// Names of commands, or `*` for all.
    pub commands: Vec<OsString>,
    /// Whether scripts for a shell may be run.
    pub shell: bool,
    /// Whether nothing may be changed.
    pub read_only: bool,
}

/// What may be used.
#[derive(Debug)]
pub struct Allowed {
    directories: Directories,
    commands: Commands,
    shell: bool,
    read_only: bool,
}

/// The same, as a document.
#[derive(Debug, Serialize)]
pub(super) struct Allows {
    directories: Vec<RawText>,
    commands: Vec<String>,
    all_commands: bool,
    shell: bool,
    read_only: bool,
}

impl Allowed {
    /// Looks up what was allowed.
    ///
    /// # Errors
    /// When a directory or a command is not there: a bound that means nothing is a mistake.
    pub fn of(flags: &AllowFlags) -> Result<Allowed, AllowError> {
        Ok(Allowed {
            directories: Directories::of(&flags.dirs)?,
            commands: Commands::of(&flags.commands)?,
            shell: flags.shell,
            read_only: flags.read_only,
        })
    }

    /// Returns `true` if nothing may be changed.
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Refuses what runs a script, unless a shell may be used.
    pub(super) fn expect_shell(&self, parameter: &'static str) -> Result<(), Refused> {
        if self.shell { Ok(()) } else { Err(Refused::Shell { parameter }) }
    }

    /// Refuses a command whose first word is not allowed.
    pub(super) fn expect_word(&self, word: &str, cwd: &Path) -> Result<(), Refused> {
        self.commands.expect_word(word, cwd)
    }

    /// Returns the place of a command that is there and is not allowed.
    pub(super) fn refused_place(&self, word: &str, cwd: &Path) -> Option<PathBuf> {
        self.commands.refused_place(word, cwd)
    }

    /// Returns what is allowed where a person has allowed one more command.
    pub(super) fn and_command(&self, name: String, place: PathBuf) -> Allowed {
        let (directories, commands) = (self.directories.clone(), self.commands.and(name, place));
        Allowed { directories, commands, shell: self.shell, read_only: self.read_only }
    }

    /// Refuses a job that a service runs in its own way, unless every command is allowed.
    pub(super) fn expect_handler(&self, handler: &str) -> Result<(), Refused> {
        if self.commands.listed().1 { Ok(()) } else { Err(Refused::Handler(handler.to_owned())) }
    }

    /// Refuses a job that would run, or write, what may not be used.
    pub(super) fn expect_spec(&self, spec: &CommandSpec) -> Result<(), Refused> {
        let scripts = [("shell", spec.shell), ("then", spec.then.is_some()), ("check", spec.check.is_some())];
        for (parameter, _) in scripts.into_iter().filter(|(_, is_given)| *is_given) {
            self.expect_shell(parameter)?;
        }
        if !spec.shell {
            self.commands.expect_program(spec.argv.first(), spec.program.as_deref())?;
        }
        if let Some(hook) = &spec.hook {
            self.commands.expect_found(&hook.to_string_lossy(), hook)?;
        }
        if spec.cwd_template.is_none() {
            self.directories.expect("cwd", &spec.cwd)?;
        }
        if let Some(dir) = &spec.output_dir {
            self.directories.expect("output_dir", dir)?;
        }
        Ok(())
    }

    /// Lists what is allowed.
    pub(super) fn listed(&self) -> Allows {
        let (commands, all_commands) = self.commands.listed();
        let directories = self.directories.listed();
        Allows { directories, commands, all_commands, shell: self.shell, read_only: self.read_only }
    }

    /// Says what is allowed, in a sentence for a model and for whoever reads it.
    pub fn sentence(&self) -> String {
        let shell = if self.shell { "scripts for a shell may be run" } else { "no scripts for a shell" };
        let change = if self.read_only { "; nothing may be changed, the tools that only read are offered" } else { "" };
        format!("Allowed directories: {}; allowed commands: {}; {shell}{change}.", self.directories, self.commands)
    }
}
