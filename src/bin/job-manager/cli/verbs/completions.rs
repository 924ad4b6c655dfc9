//! `completions`: what a shell needs to complete the command line.

use std::io::{self, Write};

use clap::{Args, Command};
use clap_complete::Shell;

use crate::cli::{CliError, Global, Output};

/// Print the completions for a shell
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  job-manager completions bash > ~/.local/share/bash-completion/completions/job-manager"
)]
pub struct Completions {
    /// Shell that reads them
    #[arg(value_enum)]
    pub shell: Shell,
}

pub fn completions(_: &Global, args: &Completions, _: &mut Output, mut command: Command) -> Result<(), CliError> {
    // Into memory first: the generator panics when its writer fails, as a closed pipe does.
    let mut script = Vec::new();
    let name = command.get_name().to_owned();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    Ok(io::stdout().lock().write_all(&script)?)
}
