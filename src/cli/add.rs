//! `add`: more units for a job, also while it runs.

use clap::Args;

use super::args::Global;
use super::error::CliError;
use super::exit::Exit;
use super::output::Output;
use super::source_args::{SourceArgs, split_command};
use crate::client::{SubmissionError, fitting_unit};
use crate::handler::{COMMAND, CommandSpec, CommandTemplate};
use crate::model::{Job, JobStatus, NewUnit};
use crate::source::Items;

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
    pub unit_key: Option<String>,
    /// Items may follow behind `-- :::`
    #[arg(last = true, value_name = "::: ITEM")]
    pub items: Vec<String>,
}

pub(super) fn add(global: &Global, args: &Add, output: &mut Output) -> Result<Exit, CliError> {
    let client = global.open_client()?;
    let job = client.job(client.find_job(&args.job)?)?;
    let units = units(args, &job)?;
    let added = client.add_units(job.id, units)?;
    output.changed(job.id, i64::try_from(added).unwrap_or(i64::MAX), "added")?;
    if matches!(client.job(job.id)?.status, JobStatus::Paused | JobStatus::Created) {
        output.hint(format_args!("`job-manager resume {}` runs them", job.id));
    }
    Ok(Exit::Success)
}

/// Reads the units that a command line names.
pub(super) fn units(args: &Add, job: &Job) -> Result<Vec<NewUnit>, CliError> {
    let (extra, items) = split_command(&args.items);
    if !extra.is_empty() {
        return Err(CliError::CommandForAdd);
    }
    fitting(args.source.open(items)?.ok_or(CliError::NoSource)?, args.unit_key.as_ref(), job)
}

/// Makes units of items that fit the command of a job, all before the first is added.
pub(super) fn fitting(items: Items, unit_key: Option<&String>, job: &Job) -> Result<Vec<NewUnit>, CliError> {
    let template = match job.handler.as_str() {
        COMMAND => {
            let spec: CommandSpec = serde_json::from_str(&job.spec).map_err(CliError::Spec)?;
            Some((CommandTemplate::parse(&spec.argv).map_err(SubmissionError::from)?, spec.shell))
        }
        _ => None,
    };
    let key = unit_key.map(|key| CommandTemplate::parse(std::slice::from_ref(key))).transpose();
    let key = key.map_err(SubmissionError::from)?;
    let command = template.as_ref().map(|(template, shell)| (template, *shell));
    Ok(items.map(|item| fitting_unit(item, command, key.as_ref())).collect::<Result<_, _>>()?)
}
