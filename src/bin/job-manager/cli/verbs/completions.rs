//! `completions`: what a shell needs to complete the command line.

use std::io::{self, Write};

use clap::Args;
use clap_complete::Shell;

use crate::cli::completion_script::script;
use crate::cli::{CliError, Global, Output};

/// Print what a shell needs to complete command lines
///
/// The script makes the shell ask this program at every Tab, so completions match this version's options and the current jobs,
/// units, kinds of failures and limits. They come from the database; a database on a server is not queried.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  job-manager completions bash > ~/.local/share/bash-completion/completions/job-manager"
)]
pub struct Completions {
    /// Shell that reads them
    #[arg(value_enum)]
    pub shell: Shell,
}

pub fn completions(_: &Global, args: &Completions, _: &mut Output) -> Result<(), CliError> {
    Ok(io::stdout().lock().write_all(&script(&args.shell.to_string()))?)
}
