//! `doctor`: what could hurt here.

use clap::Args;
use job_manager::client::{Client, ClientError, StoreError};
use job_manager::doctor::{Severity, examine};
use serde_json::json;

use super::args::Global;
use super::error::CliError;
use super::exit::Exit;
use super::next_step::next_step;
use super::output::Output;
use super::text::one_line;

/// Look for what could hurt here: the database, its disk, limits of this machine
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager doctor")]
pub(super) struct Doctor {
    /// Bring a database of an older version up to date before
    #[arg(long)]
    pub migrate: bool,
}

pub(super) fn doctor(global: &Global, args: &Doctor, output: &mut Output) -> Result<Exit, CliError> {
    if args.migrate {
        global.open_client()?;
    }
    let path = global.db_path()?;
    let findings = examine(&path);
    if output.json {
        output.document(&json!({ "schema": 1, "db": path, "findings": findings }))?;
    } else {
        for finding in &findings {
            output.line(format_args!(
                "{:<5} {:<10} {}",
                finding.severity.word(),
                finding.about,
                one_line(&finding.message)
            ))?;
        }
    }
    if let Err(error @ ClientError::Store(StoreError::TooOldToRead { .. })) = Client::open_to_read(&path)
        && let Some(next) = next_step(&error)
    {
        output.hint(next);
    }
    let broken = findings.iter().any(|finding| finding.severity == Severity::Error);
    Ok(if broken { Exit::Database } else { Exit::Success })
}
