//! `mcp`: serve the jobs to a model, over standard input and output.

use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use clap::Args;
use job_manager::client::Client;
use job_manager::model::JobId;
use job_manager::text::causes;

use crate::cli::table::table;
use crate::cli::verbs::report::report_in_markdown;
use crate::cli::{CliError, Global, Output};
#[cfg(feature = "serve")]
use crate::dashboard::Dashboard;
use crate::mcp::{AllowFlags, Allowed, Dashboards, Database, Faces, Offer, serve};

/// Serve jobs to an MCP host, such as Claude, on standard input and output until it closes them
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager mcp --allow-dir photos --allow-command convert")]
pub struct Mcp {
    /// Directory a model may read files from and run commands in; takes several, may be repeated [default: this one, unless
    /// it is the root or the home directory]
    #[arg(long, value_name = "DIR", num_args = 1..)]
    allow_dir: Vec<PathBuf>,
    /// Command a model may run, by name or path; separate several with commas or repeat; '*' allows all [default: none]
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
    let path = global.db_path()?;
    let faces = Faces { report: page, dashboard: dashboards(&path) };
    serve(Database { path, is_default: global.is_db_default()? }, allowed, faces)?;
    Ok(())
}

/// Returns a name as it is meant in a list such as `convert, ffmpeg`.
fn without_blanks(name: &OsStr) -> OsString {
    OsStr::from_bytes(name.as_bytes().trim_ascii()).to_owned()
}

fn page(client: &Client, job: JobId) -> Result<String, String> {
    report_in_markdown(client, job).map_err(|error| in_words(&error))
}

fn in_words(error: &dyn Error) -> String {
    causes(error).fold(error.to_string(), |words, cause| format!("{words}: {cause}"))
}

/// Returns what starts a dashboard the first time, which ends with this process.
#[cfg(feature = "serve")]
fn dashboards(db: &Path) -> Option<Dashboards> {
    use std::sync::atomic::AtomicBool;
    use std::sync::{Mutex, PoisonError};
    use std::thread::JoinHandle;

    let (db, open) = (db.to_owned(), Mutex::new(None::<(String, JoinHandle<()>)>));
    Some(Box::new(move || {
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((url, _)) = open.as_ref().filter(|(_, serving)| !serving.is_finished()) {
            return Ok(url.clone());
        }
        let dashboard = Dashboard::open(&db, 0, true).map_err(|error| in_words(&error))?;
        let url = dashboard.url();
        // Whoever looks at it sees that it has ended, and whoever asks again gets another one.
        let serve = move || drop(dashboard.serve(&AtomicBool::new(false)));
        let serving = std::thread::Builder::new().name("dashboard".to_owned()).spawn(serve);
        let serving = serving.map_err(|error| format!("cannot start a thread: {error}"))?;
        Ok(open.insert((url, serving)).0.clone())
    }))
}

#[cfg(not(feature = "serve"))]
fn dashboards(_: &Path) -> Option<Dashboards> {
    None
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
