//! `add`: more units for a job, also while it runs.

use std::ffi::OsString;

use clap::Args;

use super::args::Global;
use super::error::CliError;
use super::exit::Exit;
use super::lists::split_command;
use super::output::Output;
use super::source_args::{SourceArgs, note_waiting_input};
use crate::client::{SubmissionError, additions};
use crate::model::{Job, JobStatus, NewUnit};
use crate::source::Notes;

/// Add units to a job, also while it runs; a unit whose key the job has already is left out
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager add photos --glob 'new/*.jpg'")]
pub(super) struct Add {
    /// Job: its number, uid or prefix of that, name, or `last`
    #[arg(value_name = "JOB")]
    pub job: String,
    #[command(flatten)]
    pub source: SourceArgs,
    /// Template of a name for each unit, unique in the job
    #[arg(long, value_name = "TEMPLATE")]
    pub unit_key: Option<OsString>,
    /// Items may follow after `-- :::`, as after the command of `submit`
    #[arg(last = true, value_name = "::: ITEM")]
    pub items: Vec<OsString>,
}

pub(super) fn add(global: &Global, args: &Add, output: &mut Output) -> Result<Exit, CliError> {
    let client = global.open_client()?;
    let job = client.job(client.find_job(&args.job)?)?;
    let (units, notes) = units(args, &job)?;
    let added = client.add_checked_units(&job, units)?;
    output.hints(&notes.texts());
    output.changed(job.id, i64::try_from(added).unwrap_or(i64::MAX), "added")?;
    if matches!(client.job(job.id)?.status, JobStatus::Paused | JobStatus::Created) {
        output.hint(format_args!("`job-manager resume {}` runs them", job.id));
    }
    Ok(Exit::Success)
}

/// Opens the source that a command line names, as units that fit the command of a job, and what is to be said of it
/// once they were read.
pub(super) fn units(
    args: &Add,
    job: &Job,
) -> Result<(impl Iterator<Item = Result<NewUnit, SubmissionError>> + use<>, Notes), CliError> {
    let (extra, lists) = split_command(&args.items)?;
    if !extra.is_empty() {
        return Err(CliError::CommandForAdd);
    }
    let reads_stdin = args.source.reads_stdin(&lists);
    let sources = args.source.open(lists)?.ok_or(CliError::NoSource)?;
    let notes = sources.notes.clone();
    if !reads_stdin {
        note_waiting_input(&notes);
    }
    Ok((additions(sources, args.unit_key.as_deref(), job)?, notes))
}
