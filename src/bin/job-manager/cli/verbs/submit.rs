//! `submit`: create a job and start it detached.

use clap::Args;
use job_manager::client::{Client, ClientError, Created, ManagerStarted, Started};
use job_manager::handler::OutputMode;
use job_manager::model::{Job, JobId};
use job_manager::text::counted;
use serde_json::json;

use crate::cli::submission::{self, SubmissionArgs};
use crate::cli::wording;
use crate::cli::{CliError, Global, Output};

/// Create a job and its units, start it detached, print its number
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager submit -j 8 --glob 'photos/*.jpg' -- convert {} out/{/.}.webp")]
pub struct Submit {
    #[command(flatten)]
    pub submission: SubmissionArgs,
    /// Create the job without starting it
    #[arg(long, help_heading = "The job")]
    pub hold: bool,
}

pub fn submit(global: &Global, args: &Submit, output: &mut Output) -> Result<(), CliError> {
    let Some((client, created)) = args.submission.create(global, OutputMode::Tail, output)? else { return Ok(()) };
    let started = if args.hold { None } else { client.start_created(created)?.started };
    print_created(&client, created, started, output)
}

/// Prints the number of the job, or all about it as JSON.
pub fn print_created(
    client: &Client,
    created: Created,
    started: Option<Started>,
    output: &mut Output,
) -> Result<(), CliError> {
    let job = client.job(created.job)?;
    if !created.new {
        existing(&job, created, output);
    }
    if output.json {
        output.document(&json!({
            "schema": 1,
            "job": { "id": job.id, "uid": job.uid, "name": job.name },
            "new": created.new,
            "units": job.progress.total,
            "units_differ": created.differs,
            "pid": started.and_then(Started::pid),
        }))?;
        return Ok(());
    }
    output.line(job.id)?;
    output.detail(format_args!("manager's log: {}", client.job_files(job.id).log().display()));
    if created.new && started.is_some() {
        output.hint(format_args!(
            "{} started; `job-manager status {}` tells how far the job is",
            counted(job.progress.total, "unit"),
            job.id
        ));
    }
    Ok(())
}

/// Says that a job was there already, and how the items differ from its units.
pub fn existing(job: &Job, created: Created, output: &mut Output) {
    output.hint(format_args!("job {} has this key already, it is {}", job.id, job.status));
    submission::differs(created, output);
}

/// Starts jobs, and prints their managers; of several, one that cannot be started is no reason to leave the others where they
/// are.
pub(super) fn start_each(
    client: &Client,
    jobs: impl IntoIterator<Item = JobId>,
    are_several: bool,
    start: impl Fn(JobId) -> (&'static str, Result<Started, ClientError>),
    output: &mut Output,
) -> Result<(), CliError> {
    let (mut first_error, mut not_printed) = (None, None);
    for job in jobs {
        match start(job) {
            (_, Ok(started)) => match print_started(client, job, started, output) {
                // The others are to be started although nobody reads the answer.
                Err(error) if are_several => drop(not_printed.get_or_insert(error)),
                printed => printed?,
            },
            (done, Err(error)) if are_several => {
                output.hint(format_args!("job {job} is not {done}: {}", wording::said(&error)));
                first_error.get_or_insert(error);
            }
            (_, Err(error)) => return Err(error.into()),
        }
    }
    first_error.map(CliError::from).or(not_printed).map_or(Ok(()), Err)
}

/// Prints the manager of a job that was started or resumed.
pub fn print_started(client: &Client, job: JobId, started: Started, output: &mut Output) -> Result<(), CliError> {
    if matches!(started, Started::Ready { .. }) {
        for name in client.missing_secrets(job)? {
            output.hint(format_args!("the units of job {job} run without {name}, which is not set here"));
        }
    }
    let started = ManagerStarted::new(job, started);
    if output.json {
        return output.document(&started);
    }
    if started.already_running {
        output.hint(format_args!("job {job} has a manager already"));
    }
    match started.pid {
        Some(pid) => output.line(pid)?,
        None => output.hint("its process number cannot be told from here"),
    }
    Ok(())
}
