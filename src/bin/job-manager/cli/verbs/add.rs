//! `add`: more units for a job, also while it runs.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use job_manager::client::{Client, UnitsChanged};
use job_manager::model::{Job, JobId, JobStatus, NewUnit};
use job_manager::source::Notes;
use job_manager::submission::{Added, SubmissionError, additions};
use serde::Serialize;

use crate::cli::args::LAST;
use crate::cli::lists::split_command;
use crate::cli::source_args::{SourceArgs, note_waiting_input};
use crate::cli::which::JobKeys;
use crate::cli::wording;
use crate::cli::{CliError, Global, Output};

/// Add units to a job, also while it runs; a unit whose key the job has already is skipped
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager add photos --glob 'new/*.jpg'")]
pub struct Add {
    /// Job: its number, uid or prefix of that, name, or `last`
    #[arg(value_name = "JOB", required_unless_present_any = ["job_key", "key"])]
    job: Option<String>,
    #[command(flatten)]
    keys: JobKeys,
    #[command(flatten)]
    pub source: SourceArgs,
    /// Template of the key of each unit, unique in the job
    #[arg(long, value_name = "TEMPLATE")]
    pub unit_key: Option<OsString>,
    /// Items may follow after `-- :::`, as after the command of `submit`
    #[arg(last = true, value_name = "::: ITEM")]
    pub items: Vec<OsString>,
}

impl Add {
    /// Finds the job; beside a key the word in its place is a source.
    pub fn find(&self, client: &Client) -> Result<JobId, CliError> {
        match (self.keys.find(client)?, &self.job) {
            (Some(job), _) => Ok(job),
            (None, job) => Ok(client.find_job(job.as_deref().unwrap_or(LAST))?),
        }
    }
}

/// What `--json` says of an addition.
#[derive(Debug, Serialize)]
struct AddedDocument {
    #[serde(flatten)]
    changed: UnitsChanged,
    units_skipped: usize,
    units_differ: usize,
}

pub fn add(global: &Global, args: &Add, output: &mut Output) -> Result<(), CliError> {
    let client = global.open_client()?;
    let job = client.job(args.find(&client)?)?;
    let (units, notes) = units(&client, args, &job)?;
    let added = client.add_checked_units(&job, units)?;
    output.hints(&wording::remarks(&notes.remarks()));
    print_added(&job, added, output)?;
    if matches!(client.job(job.id)?.status, JobStatus::Paused | JobStatus::Created) {
        output.hint(format_args!("`job-manager resume {}` runs them", job.id));
    }
    Ok(())
}

/// Prints how many units were added, and how many the job had already.
pub fn print_added(job: &Job, added: Added, output: &mut Output) -> Result<(), CliError> {
    let Added { added, skipped, differ } = added;
    if differ > 0 {
        output.hint(format_args!("of those already there, with other content: {differ}; `sync` takes it"));
    }
    let added = i64::try_from(added).unwrap_or(i64::MAX);
    if output.json {
        output.document(&AddedDocument {
            changed: UnitsChanged::new(job.id, added),
            units_skipped: skipped,
            units_differ: differ,
        })?;
    } else if skipped > 0 {
        output.changed(job.id, added, &format!("added, {skipped} already there"))?;
    } else {
        output.changed(job.id, added, "added")?;
    }
    Ok(())
}

/// Opens the source that a command line names, as units that fit the command of a job, and what is to be said of it
/// once they were read.
pub fn units(
    client: &Client,
    args: &Add,
    job: &Job,
) -> Result<(impl Iterator<Item = Result<NewUnit, SubmissionError>> + use<>, Notes), CliError> {
    let (extra, lists) = split_command(&args.items, args.source.null())?;
    if !extra.is_empty() {
        return Err(CliError::CommandForAdd);
    }
    let word = args.job.as_deref().filter(|_| args.keys.is_given());
    let source = word.map(|word| args.source.with_word(word)).transpose()?;
    let source = source.as_ref().unwrap_or(&args.source);
    let reads_stdin = source.reads_stdin(&lists);
    let dir = units_dir(client, job, source)?;
    let sources = source.open(lists, dir.as_deref())?.ok_or(CliError::NoSource)?;
    let notes = sources.notes.clone();
    if !reads_stdin {
        note_waiting_input(&notes);
    }
    Ok((additions(client, sources, args.unit_key.as_deref(), job)?, notes))
}

/// Returns the directory in which the units of a job run, where relative patterns are looked up.
fn units_dir(client: &Client, job: &Job, source: &SourceArgs) -> Result<Option<PathBuf>, CliError> {
    let Some(spec) = client.command_settings(job)? else { return Ok(None) };
    if let (Some(cwd), Some(pattern)) = (&spec.cwd_template, source.relative_glob()) {
        let (pattern, cwd) = (pattern.to_string_lossy().into_owned(), cwd.to_string_lossy().into_owned());
        return Err(CliError::GlobWithoutDirectory { pattern, cwd });
    }
    Ok(Some(spec.cwd))
}
