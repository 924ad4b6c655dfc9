//! `mcp`: serve the jobs to a model, over standard input and output.

use std::io::IsTerminal;

use clap::Args;

use crate::cli::{CliError, Global, Output};
use crate::mcp::{Database, serve};

/// Serve jobs to an MCP host, such as Claude, on standard input and output until it closes them
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager mcp --db jobs.db")]
pub struct Mcp {}

pub fn mcp(global: &Global, _args: &Mcp, output: &mut Output) -> Result<(), CliError> {
    if std::io::stdin().is_terminal() {
        output.hint(
            "this is for an MCP host, not for a terminal: docs/mcp.md says how to enter it there; Ctrl-D ends it",
        );
        output.print_hints();
    }
    serve(Database { path: global.db_path()?, is_default: global.db.is_none() })?;
    Ok(())
}
