//! `report`: what became of a job, as one page to keep or to send.

mod charts;
mod escape;
mod facts;
mod html;
mod markdown;

use clap::{Args, ValueEnum};
use job_manager::client::Client;
use job_manager::model::JobId;

use crate::cli::which::JobOrKeyArg;
use crate::cli::{CliError, Global, Output};

use facts::Facts;

/// How the page is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Html,
    Md,
}

/// Print one page about a job: facts, charts, why units failed and which took longest
///
/// The page needs nothing else: it opens from a file, without a network.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager report photos > photos.html")]
pub struct Report {
    #[command(flatten)]
    pub job: JobOrKeyArg,
    /// Format of the page: `html`, or `md` for Markdown
    #[arg(long, value_enum, default_value_t = Format::Html)]
    pub format: Format,
}

/// Writes the page of a job as Markdown.
///
/// # Errors
/// When there is no such job or it cannot be read.
pub fn report_in_markdown(client: &Client, job: JobId) -> Result<String, CliError> {
    Ok(markdown::page(&Facts::of(client, job)?))
}

pub fn report(global: &Global, args: &Report, output: &mut Output) -> Result<(), CliError> {
    let client = global.read_client()?;
    let facts = Facts::of(&client, args.job.find(&client)?)?;
    output.bytes(
        match args.format {
            Format::Html => html::page(&facts),
            Format::Md => markdown::page(&facts),
        }
        .as_bytes(),
    )
}
