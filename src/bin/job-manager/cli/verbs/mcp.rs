//! `mcp`: serve the jobs to a model, over standard input and output.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;

use clap::Args;

use crate::cli::{CliError, Global, Output};
use crate::mcp::{AllowFlags, Allowed, Database, serve};

/// Serve jobs to an MCP host, such as Claude, on standard input and output until it closes them
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager mcp --allow-dir photos --allow-command convert")]
pub struct Mcp {
    /// Directory whose files may be read and in which commands may run; may be repeated [default: this one, unless it is
    /// the root or the home directory]
    #[arg(long, value_name = "DIR")]
    allow_dir: Vec<PathBuf>,
    /// Command that may be run, by its name or path; may be repeated, '*' allows all [default: none]
    #[arg(long, value_name = "NAME")]
    allow_command: Vec<OsString>,
    /// Allow scripts for a shell, which may run every command
    #[arg(long)]
    allow_shell: bool,
    /// Offer only the tools that change nothing
    #[arg(long)]
    read_only: bool,
}

pub fn mcp(global: &Global, args: &Mcp, output: &mut Output) -> Result<(), CliError> {
    let allowed = Allowed::of(&AllowFlags {
        dirs: args.allow_dir.clone(),
        commands: args.allow_command.clone(),
        shell: args.allow_shell,
        read_only: args.read_only,
    })?;
    if std::io::stdin().is_terminal() {
        output.hint(
            "this is for an MCP host, not for a terminal: docs/mcp.md says how to enter it there; Ctrl-D ends it",
        );
        output.print_hints();
    }
    serve(Database { path: global.db_path()?, is_default: global.db.is_none() }, allowed)?;
    Ok(())
}
