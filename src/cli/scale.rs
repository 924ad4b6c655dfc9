//! `scale`: change the number of a job's workers, also while it runs.

use clap::Args;

use super::args::Global;
use super::error::CliError;
use super::exit::Exit;
use super::output::Output;
use super::values;
use crate::client::WorkersSet;

/// Change how many units of a job run at the same time, also while it runs
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager scale photos 16")]
pub(super) struct Scale {
    /// Job: its number, uid or prefix of that, name, or `last`
    #[arg(value_name = "JOB")]
    pub job: String,
    /// A number, or a percentage of the processors
    #[arg(value_name = "N", value_parser = values::workers)]
    pub workers: usize,
}

pub(super) fn scale(global: &Global, args: &Scale, output: &mut Output) -> Result<Exit, CliError> {
    let client = global.open_client()?;
    let job = client.find_job(&args.job)?;
    let limits = client.set_limits(job, |limits| limits.workers = args.workers)?;
    if output.json {
        output.document(&WorkersSet::new(job, limits.workers))?;
    } else {
        output.line(limits.workers)?;
    }
    Ok(Exit::Success)
}
