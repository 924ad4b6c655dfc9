//! `mcp`: serve the jobs to a model, over standard input and output.

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use clap::Args;

use crate::cli::table::table;
use crate::cli::{CliError, Global, Output};
use crate::mcp::{AllowFlags, Allowed, Database, Offer, serve};

/// Serve jobs to an MCP host, such as Claude, on standard input and output until it closes them
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager mcp --allow-dir photos --allow-command convert")]
pub struct Mcp {
    /// Directory whose files may be read and in which commands may run; several, or repeated [default: this one, unless
    /// it is the root or the home directory]
    #[arg(long, value_name = "DIR", num_args = 1..)]
    allow_dir: Vec<PathBuf>,
    /// Command that may be run, by its name or path; several with commas between them, or repeated, '*' allows all
    /// [default: none]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    allow_command: Vec<OsString>,
    /// Allow scripts for a shell, which may run every command
    #[arg(long)]
    allow_shell: bool,
    /// Offer only the tools that change nothing
    #[arg(long)]
    read_only: bool,
    /// Print what a host would see, the tools and what is allowed, and serve nothing
    #[arg(long)]
    check: bool,
}

pub fn mcp(global: &Global, args: &Mcp, output: &mut Output) -> Result<(), CliError> {
    let allowed = Allowed::of(&AllowFlags {
        dirs: args.allow_dir.clone(),
        commands: args.allow_command.iter().map(|name| without_blanks(name)).filter(|name| !name.is_empty()).collect(),
        shell: args.allow_shell,
        read_only: args.read_only,
    })?;
    if args.check {
        return check(&Offer::of(&allowed), output);
    }
    if std::io::stdin().is_terminal() {
        output.hint(
            "this is for an MCP host, not for a terminal: docs/mcp.md says how to enter it there; Ctrl-D ends it",
        );
        output.print_hints();
    }
    serve(Database { path: global.db_path()?, is_default: global.db.is_none() }, allowed)?;
    Ok(())
}

/// Returns a name as it is meant in a list such as `convert, ffmpeg`.
fn without_blanks(name: &OsStr) -> OsString {
    OsStr::from_bytes(name.as_bytes().trim_ascii()).to_owned()
}

fn check(offer: &Offer, output: &mut Output) -> Result<(), CliError> {
    if output.json {
        return output.document(offer);
    }
    if output.quiet {
        return offer.rows().try_for_each(|[name, ..]| output.line(name));
    }
    output.line(offer.allowed_sentence())?;
    output.line(table(&["TOOL", "TITLE", "CHANGES"], &[], offer.rows().map(|row| row.map(str::to_owned).to_vec())))
}
