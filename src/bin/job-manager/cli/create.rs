//! `create`: create a job without starting it.

use clap::Args;

use super::args::Global;
use super::error::CliError;
use super::exit::Exit;
use super::output::Output;
use super::submission::{self, SubmissionArgs};
use super::submit::print_created;

/// Create a job without starting it; `start` starts it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  job-manager create --lines urls.txt -- curl -fsSO {}")]
pub(super) struct Create {
    #[command(flatten)]
    pub submission: SubmissionArgs,
}

pub(super) fn create(global: &Global, args: &Create, output: &mut Output) -> Result<Exit, CliError> {
    let prepared = args.submission.prepare(global)?;
    if let Some(count) = args.submission.job.dry_run {
        submission::dry_run(prepared, global, count, output)?;
        return Ok(Exit::Success);
    }
    let (client, created) = submission::create(prepared, global, output)?;
    print_created(&client, created, None, output)?;
    Ok(Exit::Success)
}
